"""Composes a detector from a backbone, a neck and a head of any plugins; the error for parts that
do not fit draws the pipeline."""

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
    """Builds a new detector from these parts, with random weights, in eval mode.

    backbone, neck, head: names of parts, `plugin/name`, or `name` alone if only one plugin has it;
              without a neck, the head takes the backbone's maps.
    labels:   class names, a declared label space by name, or a label space.
    strides:  of the maps that the backbone shall return, in input pixels per cell, finest first.
    input:    how an image becomes the network's input; None is a letterbox of 640 x 640 with
              ImageNet's mean and standard deviation.
    *_arguments: further arguments of each part, by name.

    Raises:
        NameNotFound, NameAmbiguous: no part, or more than one, has that name, or a part has no such
            argument.
        UsageError: an argument can't have that value.
        ContractError: two parts do not fit; the message draws the pipeline, marks where, and
            suggests the nearest change that fits.
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
    """Builds a card with `architecture: compose`, whose `arguments` are those of `compose`."""
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
    except PartMismatch as mismatch:
        raise _misfit(plan, label_space, mismatch) from mismatch.error
    fixed_size: tuple[int, int] | None = getattr(parts.backbone, "size", None)
    input_policy = _input(input, fixed_size)
    detector = Composed(
        label_space=label_space,
        plan=plan,
        input=input_policy,
        backbone=parts.backbone,
        neck=parts.neck,
        head=parts.head,
    )
    if fixed_size is not None and canvas_of_all(
        input_policy, step=detector.preprocess.step
    ) != Size(*fixed_size):
        raise _wrong_size(detector, fixed_size)
    return detector


def _name(kind: str, name: object) -> str:
    if isinstance(name, str) and name.strip():
        return name
    raise UsageError(
        f"{kind}={name!r:.80} was given.",
        "It is not the name of a part.",
        f'Write for example {kind}="{_EXAMPLES[kind]}".',
    )


def _arguments(kind: str, arguments: Mapping[str, object] | None) -> dict[str, object]:
    if arguments is not None and not isinstance(arguments, Mapping):
        raise UsageError(
            f"{kind}_arguments={arguments!r:.80} was given.",
            "It is not a mapping of names to values.",
            f"Write for example {kind}_arguments={{'channels': 64}}.",
        )
    return dict(arguments or {})


def _input(input: Input | Mapping[str, object] | None, fixed_size: tuple[int, int] | None) -> Input:
    """The input policy; None is a letterbox of the backbone's fixed size, or else of the default
    size."""
    if input is None:
        return structs.replace(INPUT, size=list(fixed_size or INPUT.size))
    try:
        policy = input if isinstance(input, Input) else msgspec.convert(input, Input)
    except msgspec.ValidationError as error:
        raise _no_input(input, *in_words(input, Input, error)) from None
    if flaw := input_flaw(policy):
        raise _no_input(input, flaw.case, flaw.fix)
    return policy


def _no_input(input: object, case: str, fix: str) -> UsageError:
    refusal = f"A detector was composed with input={input!r:.200}."
    return UsageError(refusal, case, [fix, f"For example {_as_argument(INPUT)}."])


def _as_argument(policy: Input) -> str:
    """An input policy as a Python argument, without fields that have their default."""
    fields = msgspec.to_builtins(policy)
    defaults = msgspec.to_builtins(Input(resize=policy.resize, size=policy.size))
    always = ("resize", "size")
    shown = {
        name: fields[name] for name in fields if name in always or fields[name] != defaults[name]
    }
    return f"input={json.dumps(shown)}"


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


def _misfit(plan: Composition, label_space: LabelSpace, mismatch: PartMismatch) -> ContractError:
    stages = [
        Stage(kind, name, mismatch.levels.get(kind, ())) for kind, name in plan.names().items()
    ]
    suggestions = list(nearest(plan, label_space))
    changes = (
        " or ".join(map(plan.changes, suggestions)),
        " or ".join(map(plan.changes_cli, suggestions)),
    )
    return _pipeline_error(
        plan, stages, mismatch.kind, mismatch.error.case, changes, mismatch.error.fix
    )


def _wrong_size(detector: Composed, fixed_size: tuple[int, int]) -> ContractError:
    """The error for an input of another size than the one that the backbone takes."""
    plan, policy = detector.plan, detector.preprocess.input
    canvas_size = canvas_of_all(policy, step=detector.preprocess.step)
    suggestion = (
        resized_backbone(plan, detector.label_space, size=(canvas_size.height, canvas_size.width))
        if canvas_size
        else None
    )
    fix = _as_argument(structs.replace(policy, resize="letterbox", size=list(fixed_size)))
    changes = (plan.changes(suggestion), plan.changes_cli(suggestion)) if suggestion else (fix, fix)
    levels = {
        "backbone": detector.backbone.levels,
        "neck": detector.neck.levels if detector.neck else (),
    }
    stages = [Stage("input", shown_input(policy))]
    stages += [Stage(kind, name, levels.get(kind, ())) for kind, name in plan.names().items()]
    return _pipeline_error(
        plan,
        stages,
        "backbone",
        f"It takes images of {fixed_size[0]} x {fixed_size[1]} only.",
        changes,
        fix,
    )


def _pipeline_error(
    plan: Composition,
    stages: Sequence[Stage],
    kind: str,
    case: str,
    changes: tuple[str, str],
    fix: str,
) -> ContractError:
    """The error that draws the pipeline, with the flaw above the part of that kind.

    changes: suggested arguments in Python and options in a shell; empty if none fit.
    """
    flaw = f"{plan.names()[kind]}: {case[:1].lower()}{case[1:]}"
    stages = [replace(stage, flaw=flaw) if stage.kind == kind else stage for stage in stages]
    return ContractError(
        f"{', '.join(plan.names().values())} can't be composed: the parts do not fit.",
        draw(stages).split("\n"),
        f"The nearest change that fits: {changes[0]}" if changes[0] else fix,
        fix_cli=f"The nearest change that fits: {changes[1]}" if changes[1] else None,
    )
