"""Detectors composed of parts from any plugin: a backbone, a neck and a head that never heard of
one another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec
from msgspec import structs

from zoo.counts import count_of
from zoo.detectors.assemble import PartMismatch, assemble
from zoo.detectors.composed import Composed, shown_input
from zoo.detectors.composition import Composition
from zoo.detectors.diagram import Stage, draw
from zoo.detectors.nearest_fit import nearest, resized_backbone
from zoo.detectors.preprocess import Size, canvas_of_all
from zoo.errors import ContractError, UsageError
from zoo.labels import LabelSpace
from zoo.labels.builtin import space_of
from zoo.registry.card import Input
from zoo.registry.card_checks import input_flaw
from zoo.registry.schema import in_words

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
INPUT = Input(resize="letterbox", size=[640, 640], **IMAGENET)  # type: ignore[arg-type]

_EXAMPLES = {"backbone": "torchvision/resnet18", "neck": "fpn", "head": "retinanet"}


def compose(  # noqa: PLR0913 - a name and arguments for each of three parts
    *,
    backbone: str,
    head: str,
    labels: Sequence[str] | str | LabelSpace,
    neck: str | None = None,
    strides: Sequence[int] = (8, 16, 32),
    input: Input | Mapping[str, object] | None = None,
    backbone_arguments: Mapping[str, object] | None = None,
    neck_arguments: Mapping[str, object] | None = None,
    head_arguments: Mapping[str, object] | None = None,
) -> Composed:
    """A new detector of these parts, with random weights, in eval mode.

    backbone, neck, head: names of parts, `plugin/name`, or `name` alone where only one plugin has
              it; without a neck the head is on the backbone's maps.
    labels:   class names, a declared label space by name, or a label space.
    strides:  input pixels a cell of the maps that the backbone is asked for, finest first.
    input:    how an image becomes the network's input; None is a letterbox of 640 x 640 with
              ImageNet's mean and deviation.
    *_arguments: what else each part is built with, by name.

    Raises:
        NameNotFound, NameAmbiguous: no part, or more than one, has that name, or a part has no such
            argument.
        UsageError: an argument can't have that value.
        ContractError: two parts do not fit; the message draws the pipeline, points at the seam and
            says what would.
    """
    detector = build(
        label_space=space_of(labels),
        backbone=backbone,
        neck=neck,
        head=head,
        strides=strides,
        input=input,
        backbone_arguments=backbone_arguments,
        neck_arguments=neck_arguments,
        head_arguments=head_arguments,
    )
    return detector.eval()


def build(  # noqa: PLR0913
    *,
    label_space: LabelSpace,
    backbone: str,
    head: str,
    neck: str | None = None,
    strides: Sequence[int] = (8, 16, 32),
    input: Input | Mapping[str, object] | None = None,
    backbone_arguments: Mapping[str, object] | None = None,
    neck_arguments: Mapping[str, object] | None = None,
    head_arguments: Mapping[str, object] | None = None,
) -> Composed:
    """The same as an architecture, for a card: `architecture: compose`, its `arguments` the parts
    and theirs."""
    plan = Composition(
        backbone=_name("backbone", backbone),
        neck=None if neck is None else _name("neck", neck),
        head=_name("head", head),
        strides=_ascending(strides),
        backbone_arguments=_arguments("backbone", backbone_arguments),
        neck_arguments=_arguments("neck", neck_arguments),
        head_arguments=_arguments("head", head_arguments),
    )
    try:
        parts = assemble(plan, label_space)
    except PartMismatch as seam:
        raise _misfit(plan, label_space, seam) from seam.why
    only: tuple[int, int] | None = getattr(parts.backbone, "size", None)
    rule = _input(input, only)
    made = Composed(
        label_space=label_space,
        plan=plan,
        input=rule,
        backbone=parts.backbone,
        neck=parts.neck,
        head=parts.head,
    )
    if only is not None and canvas_of_all(rule, step=made.preprocess.step) != Size(*only):
        raise _wrong_size(made, only)
    return made


def _name(kind: str, given: object) -> str:
    if isinstance(given, str) and given.strip():
        return given
    raise UsageError(
        f"{kind}={given!r:.80} was given.",
        "It is not the name of a part.",
        f'Write for example {kind}="{_EXAMPLES[kind]}".',
    )


def _arguments(kind: str, given: Mapping[str, object] | None) -> dict[str, object]:
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(
            f"{kind}_arguments={given!r:.80} was given.",
            "It is not a mapping of names to values.",
            f"Write for example {kind}_arguments={{'channels': 64}}.",
        )
    return dict(given or {})


def _input(given: Input | Mapping[str, object] | None, only: tuple[int, int] | None) -> Input:
    """The input policy; without one, a letterbox of the size that the backbone wants, if it wants
    one."""
    if given is None:
        return structs.replace(INPUT, size=list(only or INPUT.size))
    try:
        rule = given if isinstance(given, Input) else msgspec.convert(given, Input)
    except msgspec.ValidationError as error:
        raise _no_input(given, *in_words(given, Input, error)) from None
    if flaw := input_flaw(rule):
        raise _no_input(given, flaw.case, flaw.fix)
    return rule


def _no_input(given: object, case: str, fix: str) -> UsageError:
    asked = f"A detector was composed with input={given!r:.200}."
    return UsageError(asked, case, [fix, f"For example {_as_argument(INPUT)}."])


def _as_argument(rule: Input) -> str:
    """An input policy as it is written in Python, without what is the default."""
    fields = msgspec.to_builtins(rule)
    plain = msgspec.to_builtins(Input(resize=rule.resize, size=rule.size))
    named = ("resize", "size")
    kept = {name: fields[name] for name in fields if name in named or fields[name] != plain[name]}
    return f"input={json.dumps(kept)}"


def _ascending(strides: Sequence[int]) -> tuple[int, ...]:
    ascending = tuple(strides) if isinstance(strides, Iterable) else (strides,)
    if (
        not ascending
        or any(count_of(stride) is None for stride in ascending)
        or list(ascending) != sorted(set(ascending))
    ):
        raise UsageError(
            f"strides={ascending} can't be used.",
            "Strides are whole numbers of pixels, finest first, each named once.",
            "Write for example strides=(8, 16, 32).",
        )
    return ascending


def _misfit(plan: Composition, label_space: LabelSpace, seam: PartMismatch) -> ContractError:
    stages = [Stage(kind, name, seam.levels.get(kind, ())) for kind, name in plan.names().items()]
    better = list(nearest(plan, label_space))
    changes = " or ".join(map(plan.changes, better)), " or ".join(map(plan.changes_cli, better))
    return _drawn(plan, stages, seam.kind, seam.why.case, changes, seam.why.fix)


def _wrong_size(made: Composed, only: tuple[int, int]) -> ContractError:
    """The input is not what the backbone takes: the seam above the first part."""
    plan, whole = made.plan, canvas_of_all(made.preprocess.input, step=made.preprocess.step)
    better = (
        resized_backbone(plan, made.label_space, size=(whole.height, whole.width))
        if whole
        else None
    )
    rule = structs.replace(made.preprocess.input, resize="letterbox", size=list(only))
    fix = _as_argument(rule)
    changes = (plan.changes(better), plan.changes_cli(better)) if better else (fix, fix)
    levels = {"backbone": made.backbone.levels, "neck": made.neck.levels if made.neck else ()}
    stages = [Stage("input", shown_input(made.preprocess.input))]
    stages += [Stage(kind, name, levels.get(kind, ())) for kind, name in plan.names().items()]
    return _drawn(
        plan, stages, "backbone", f"It takes images of {only[0]} x {only[1]} only.", changes, fix
    )


def _drawn(
    plan: Composition,
    stages: Sequence[Stage],
    kind: str,
    case: str,
    changes: tuple[str, str],
    fix: str,
) -> ContractError:
    """The pipeline with its flaw above the part of that kind; `changes` would repair it."""
    flaw = f"{plan.names()[kind]}: {case[:1].lower()}{case[1:]}"
    stages = [replace(stage, flaw=flaw) if stage.kind == kind else stage for stage in stages]
    return ContractError(
        f"{', '.join(plan.names().values())} can't be composed: the parts do not fit.",
        draw(stages).split("\n"),
        f"The nearest change that fits: {changes[0]}" if changes[0] else fix,
        fix_cli=f"The nearest change that fits: {changes[1]}" if changes[1] else None,
    )
