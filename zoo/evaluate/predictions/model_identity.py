"""Identifies the model under test: a name with verified weights, or a loaded Detector."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.errors import NameNotFound, UsageError
from zoo.evaluate.predictions import code
from zoo.evaluate.predictions.parquet import PARQUET_SUFFIX
from zoo.labels.builtin import OPEN, Labels, label_spaces, name_with_labels
from zoo.labels.space import LabelSpace
from zoo.registry import Choice, catalogue
from zoo.registry.exported import ExportFacts
from zoo.text import capitalized, type_name
from zoo.weights import WeightsFile
from zoo.weights.resolve import Resolved, choose, resolve

if TYPE_CHECKING:
    import torch

    from zoo.contract import OptionalMembers, Predictor
    from zoo.detectors import Detector
    from zoo.detectors.detector import BasePredictor


# Members of a predictor, what they are, and one to write.
_OF_TYPE = {
    "label_space": ("zoo.LabelSpace", 'zoo.LabelSpace.custom(["cat", "dog"])'),
    "defaults": ("zoo.contract.Thresholds", "Thresholds(score=0.05, iou=0.5, max_boxes=100)"),
    "device": ("torch.device", 'torch.device("cpu")'),
}
PREDICTOR = (*_OF_TYPE, "name", "input_size", "predict")


@dataclass(frozen=True)
class ModelIdentity:
    """A model to be run.

    name:  what it is called.
    facts: its part of the provenance.
    load:  gives the detector or engine.
    engine: what computes its network; None for torch.
    fixed: whether `facts` decide every number. What a detector at hand computes may depend on more
        than its weights and code.
    resolved, labels, request: what another process loads it from: its card and files, the label
        space, and the engine with its options, None for torch. None for a detector at hand.
    """

    name: str
    facts: dict[str, str]
    load: Callable[[], Predictor]
    fixed: bool
    engine: str | None = None
    resolved: Resolved | None = None
    labels: LabelSpace | None = None
    request: str | None = None


def model_identity(
    model: str | Predictor | Resolved,
    *,
    weights: bool | str | os.PathLike[str],
    labels: Labels | None,
    classes: Sequence[str],
    device: torch.device | str | None,
    engine: str | None = None,
    progress: bool | None,
) -> ModelIdentity:
    """The model of a name, with its weights fetched and verified but not loaded; or the detector
    itself.

    model:   a name, one that was resolved before (then `weights` says nothing), or a predictor.
    labels:  as `zoo.load` takes them. classes: what a model is told whose card leaves its classes
        open, where `labels` is None.

    Raises: NameNotFound, NameAmbiguous, WeightsError, LabelError; UsageError for what is not a
        model, for weights, labels or a device of a detector, and if code has changed since this
        process imported it.
    """
    if isinstance(model, Resolved):
        return _identity_of(model, labels, classes, device, engine)
    if not isinstance(model, str):
        _check_at_hand(model, weights=weights, labels=labels, device=device, engine=engine)
        return _of_predictor(model)
    registry = catalogue()
    try:
        choice = choose(registry, model, weights)
    except NameNotFound:
        if not os.path.isdir(model):
            raise
        raise _is_folder(Path(model)) from None
    resolved = resolve(registry, choice, weights, progress=progress)
    return _identity_of(resolved, labels, classes, device, engine)


def _of_predictor(predictor: Any) -> ModelIdentity:
    """A detector, an engine or another predictor that was made before."""
    name = predictor.name or type(predictor).__name__
    if _optional_members(predictor).engine is not None:
        return _engine_at_hand(predictor, name)
    if not hasattr(predictor, "state_dict"):
        return _predictor_at_hand(predictor, name)
    facts = {"model": name, "code_sha256": code.of_detector(predictor)}
    return _of_detector(predictor, facts | _file_in_memory(predictor))


def _identity_of(
    resolved: Resolved,
    labels: Labels | None,
    classes: Sequence[str],
    device: torch.device | str | None,
    engine: str | None,
) -> ModelIdentity:
    choice = resolved.choice
    declared = choice.entry.card.labels
    requested = classes if labels is None and declared == OPEN else labels
    old, new = label_spaces(declared, requested, model=choice.name)
    name = name_with_labels(resolved.name, old, new)
    facts = {
        "model": name,
        "card_sha256": card_sha256(choice),
        "plugin": plugin_of(choice),
        "code_sha256": code.of_choice(choice),
    }

    def load() -> Detector:
        from zoo.detectors.load import load_resolved  # deferred: torch

        return load_resolved(resolved, labels=new, device=device)

    if new != old:
        facts["labels_sha256"] = labels_sha256(new)
    if resolved.exported_file or engine not in (None, "torch"):
        from zoo.detectors.load import load_resolved  # deferred: torch

        if resolved.file is not None:
            facts |= {**_facts_of(resolved.file), **_other_files(resolved)}
        predictor = load_resolved(resolved, labels=new, device=device, engine=engine)
        return _of_engine(predictor, facts, resolved, new, requested=engine)
    if resolved.file is None:
        return _of_detector(load(), facts | {"weights_source": "random"})
    facts |= {**_facts_of(resolved.file), **_other_files(resolved)}
    if old is not None and new != old:
        detector = load()
        if detector.head_transfer is not None and detector.head_transfer.new_classes:
            return _of_detector(detector, facts)  # some of its weights are random
        return ModelIdentity(
            name, facts, lambda: detector, fixed=True, resolved=resolved, labels=new
        )
    return ModelIdentity(name, facts, load, fixed=True, resolved=resolved, labels=new)


def _of_engine(
    predictor: BasePredictor,
    facts: dict[str, str],
    resolved: Resolved,
    labels: LabelSpace,
    *,
    requested: str | None,
) -> ModelIdentity:
    """A model whose network an engine computes; which one that is may take measuring."""
    facts |= engine_facts(predictor)
    exported = _optional_members(predictor).facts
    source = exported.weights.get("sha256") if isinstance(exported, ExportFacts) else None
    if resolved.exported_file and source:
        facts["exported_from"] = source
    options = (requested or "").partition(",")[1:]
    return ModelIdentity(
        facts["model"],
        facts,
        lambda: predictor,
        fixed=True,
        engine=predictor.engine,
        resolved=resolved,
        labels=labels,
        request="".join((predictor.engine, *options)) if predictor.engine else None,
    )


def _engine_at_hand(predictor: BasePredictor, name: str) -> ModelIdentity:
    """An engine that was loaded before, by the file of its weights and the code of its family."""
    facts = {"model": name, **engine_facts(predictor)}
    if predictor.weights is not None:
        facts |= _facts_of(predictor.weights)
    network = _optional_members(predictor).network
    if network is not None:
        facts["code_sha256"] = code.of_detector(network)
    return ModelIdentity(name, facts, lambda: predictor, fixed=False, engine=predictor.engine)


def _predictor_at_hand(predictor: Predictor, name: str) -> ModelIdentity:
    """Anything else that turns images into detections. What it holds can't be read, so that no two
    are alike."""
    facts = {
        "model": name,
        "code_sha256": code.of_object(predictor),
        "state_sha256": secrets.token_hex(32),
    }
    return ModelIdentity(name, facts, lambda: predictor, fixed=False)


def engine_facts(predictor: BasePredictor) -> dict[str, str]:
    """The engine with its version, and the precision of its weights where that is less; nothing
    for torch."""
    if not predictor.engine:
        return {}
    optional = _optional_members(predictor)
    exported = optional.facts
    precision = exported.precision if isinstance(exported, ExportFacts) else "float32"
    lighter = "" if precision == "float32" else f", {precision}"
    return {"engine": f"{predictor.engine} {optional.version or ''}".strip() + lighter}


def _optional_members(predictor: Predictor) -> OptionalMembers:
    from zoo.inference.runner import optional_members  # deferred: torch

    return optional_members(predictor)


def labels_sha256(space: LabelSpace) -> str:
    """The fingerprint of the classes that a model is loaded for and of the network's channels for
    them, as 64 hex digits."""
    return hashlib.sha256(json.dumps([space.names, space.channels]).encode()).hexdigest()


def _facts_of(file: WeightsFile) -> dict[str, str]:
    source = f"file:{file.published.name}" if file.source.startswith("file:") else file.source
    return {"weights_sha256": file.sha256, "weights_source": source}


def _other_files(resolved: Resolved) -> dict[str, str]:
    """The sha256 of each file besides the checkpoint, by role; nothing where there are none."""
    digests = {role: resolved.files[role].sha256 for role in sorted(resolved.others)}
    return {"files_sha256": json.dumps(digests)} if digests else {}


def _file_in_memory(detector: Detector) -> dict[str, str]:
    """The verified file of a detector, if its state is still what the file holds."""
    from zoo.detectors.weights_comparison import is_as_loaded  # deferred: torch, as above

    file = detector.weights
    return _facts_of(file) if file is not None and is_as_loaded(detector) else {}


def _is_folder(folder: Path) -> UsageError:
    files = sorted(folder.glob(f"*{PARQUET_SUFFIX}"))
    example = f", as in {files[0]}" if files else ""
    return UsageError(
        f"No model named '{folder}'.",
        "That is a folder.",
        "Name a model, as zoo list shows them; to evaluate what one has detected already, name the "
        f"file: predictions (.parquet) or a COCO results list (.json){example}.",
    )


def _check_at_hand(model: object, **options: object) -> None:
    """Raises: UsageError for anything but a predictor, and for options that it has already."""
    lacks = [member for member in PREDICTOR if not hasattr(model, member)]
    if isinstance(model, type):
        raise UsageError(
            f"The class {model.__name__} can't be run on images.",
            "An object of it can be.",
            f"Make one: {model.__name__}()",
        )
    if lacks:
        kind = type_name(model)
        has = f"It has no `{lacks[0]}`. " if len(lacks) < len(PREDICTOR) else ""
        raise UsageError(
            f"{capitalized(kind)} can't be run on images.",
            f"{has}What can be run is the name of a model, a zoo.Detector, or what has the members "
            "of zoo.contract.Predictor.",
            "Take the name of one, as zoo list shows them.",
        )
    _check_members(model)
    defaults = {"weights": True, "labels": None, "device": None, "engine": None}
    changes = {name: value for name, value in options.items() if value is not defaults[name]}
    if changes:
        raise UsageError(
            f"A detector can't be run with "
            f"{' and '.join(f'{name}={value!r}' for name, value in changes.items())}.",
            "It has its own already.",
            f"Load it with them instead: zoo.load(NAME, "
            f"{', '.join(f'{name}={value!r}' for name, value in changes.items())})",
        )


def _check_members(predictor: Any) -> None:
    """Raises: UsageError for a member of a predictor that is of another type than it has to be."""
    import torch  # deferred: whoever has a predictor at hand has it already

    from zoo.contract import Thresholds  # deferred: torch

    if not isinstance(predictor.name, str | None):
        raise UsageError(
            f"{capitalized(type_name(predictor))} can't be run on images.",
            f"Its `name` is {type_name(predictor.name)}, and has to be a text.",
            'Make it one: name = "mine"',
        )
    kinds = (LabelSpace, Thresholds, torch.device)
    for (member, (description, example)), kind in zip(_OF_TYPE.items(), kinds, strict=True):
        value = getattr(predictor, member)
        if not isinstance(value, kind):
            raise UsageError(
                f"{capitalized(type_name(predictor))} can't be run on images.",
                f"Its `{member}` is {type_name(value)}, and has to be a {description}.",
                f"Make it one: {example}",
            )


def card_sha256(choice: Choice) -> str:
    """The fingerprint of a model's card, as 64 hex digits."""
    return hashlib.sha256(msgspec.json.encode(choice.entry.card, order="sorted")).hexdigest()


def plugin_of(choice: Choice) -> str:
    """Whose code builds it, as in `yolox (detzoo 0.1.0)`."""
    name = choice.entry.card.architecture.partition("/")[0]
    owners = (
        f"{name} ({plugin.distribution} {plugin.version})"
        for plugin in catalogue().plugins
        if plugin.name == name
    )
    return next(owners, name)


def _of_detector(detector: Detector, facts: dict[str, str]) -> ModelIdentity:
    digest = hashlib.sha256(
        f"{type(detector).__module__}.{type(detector).__qualname__} {detector.defaults}".encode()
    )
    for name, tensor in sorted(detector.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(_bytes()).numpy().data)
    return ModelIdentity(
        facts["model"], {**facts, "state_sha256": digest.hexdigest()}, lambda: detector, fixed=False
    )


def _bytes() -> torch.dtype:
    import torch  # deferred: whoever has a detector at hand has it already

    return torch.uint8
