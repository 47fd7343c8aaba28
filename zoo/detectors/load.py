"""Loads a detector by name: card, architecture on the meta device, verified weights assigned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from os import PathLike, fspath
from typing import overload

import torch
from torch import Tensor

from zoo.detectors.build import build, on_meta_device
from zoo.detectors.checkpoint import assign, check_finite, reading, widen_float8
from zoo.detectors.detector import BasePredictor, Detector, class_layers, post_load
from zoo.detectors.engine_request import TORCH, EngineRequest, parse_engine
from zoo.detectors.head_transfer import MAX_NAMES_SHOWN, fits, transfer_head
from zoo.detectors.prefix import without_prefix
from zoo.errors import CheckpointError, ContractError, UsageError
from zoo.files import pause_gc
from zoo.labels import LabelSpace
from zoo.labels.builtin import label_spaces, name_with_labels
from zoo.registry import Catalogue, catalogue
from zoo.registry.exported import FIRST_READABLE_ENGINE
from zoo.registry.folder import FILE_PREFIX
from zoo.text import join_first, type_name
from zoo.weights.records import FileStamp, WeightsFile, note_finite
from zoo.weights.resolve import Resolved, choose, resolve

log = logging.getLogger("zoo")


@overload
def load(
    name: str | PathLike[str],
    *,
    weights: bool | str | PathLike[str] = True,
    labels: Sequence[str] | str | LabelSpace | None = None,
    device: torch.device | str | None = None,
    engine: None = None,
    progress: bool | None = None,
) -> Detector: ...
@overload
def load(
    name: str | PathLike[str],
    *,
    weights: bool | str | PathLike[str] = True,
    labels: Sequence[str] | str | LabelSpace | None = None,
    device: torch.device | str | None = None,
    engine: str | None,
    progress: bool | None = None,
) -> BasePredictor: ...
def load(
    name: str | PathLike[str],
    *,
    weights: bool | str | PathLike[str] = True,
    labels: Sequence[str] | str | LabelSpace | None = None,
    device: torch.device | str | None = None,
    engine: str | None = None,
    progress: bool | None = None,
) -> BasePredictor:
    """The detector called `name`, in eval mode; or the engine that computes its network.

    name:     `yolox_nano`, `yolox_nano.coco` (a tag of its weights), `yolox/yolox_nano` (whose), an
              alias; or a trained model: its folder, as a Path or `file:FOLDER`, or its repository
              on the Hub, `hub:org/name[@REVISION]`.
    weights:  True for the card's weights, False for random ones, a tag, a Path, `file:PATH` or
              `hub:org/repo@REVISION[:FILE]`.
    labels:   your own classes, as a list of names, a declared label space by name, or a label
              space; None is the card's. The head is built for them: its weights for classes of the
              same name are carried over, the rest starts fresh, and `head_transfer` says which is
              which. A file of your own that already has such a head is loaded as it is. An
              open-vocabulary detector finds any classes without a new head.
    device:   where to put it; None is torch's default device.
    engine:   what computes the network: "onnxruntime", "openvino", "compile", or "auto", the
              fastest on this machine of those that agree with torch; options follow after commas,
              as in "onnxruntime,threads=2,spin=true". The model is exported for it once, and the
              export is stored. None is torch or, for an exported file, the first installed engine
              that can read it.
    progress: a bar while downloading or exporting; None shows one on a terminal.

    Raises:
        NameNotFound, NameAmbiguous: nothing, or more than one thing, has that name.
        LabelError: `labels` can't be a label space, or the card leaves the classes open and none
            are named.
        MissingExtra: the card requires a package that is not installed.
        WeightsError: the weights can't be fetched, are damaged, or do not fit.
        UsageError: this torch has no such device.
        ExportError: the network can't be exported for that engine, or does not agree with torch.
    """
    predictor = _load_by_name(
        name, weights, labels, device_of(device), engine=engine, progress=progress
    )
    _log_head_transfer(predictor)
    return predictor


def load_to_train(
    name: str | PathLike[str],
    *,
    weights: bool | str | PathLike[str],
    labels: Sequence[str] | str | LabelSpace,
) -> Detector:
    """Loads a detector as `load` does, on the CPU and without the warning about new classes."""
    predictor = _load_by_name(name, weights, labels, torch.device("cpu"))
    if isinstance(predictor, Detector):
        return predictor
    raise UsageError(
        f"'{predictor.name}' can't be trained.",
        "It is an exported file, which has no losses.",
        "Train the model that it was made of.",
    )


@overload
def load_resolved(
    resolved: Resolved,
    *,
    labels: Sequence[str] | str | LabelSpace | None = None,
    device: torch.device | str | None = None,
    engine: None = None,
) -> Detector: ...
@overload
def load_resolved(
    resolved: Resolved,
    *,
    labels: Sequence[str] | str | LabelSpace | None = None,
    device: torch.device | str | None = None,
    engine: str | None,
) -> BasePredictor: ...
def load_resolved(
    resolved: Resolved,
    *,
    labels: Sequence[str] | str | LabelSpace | None = None,
    device: torch.device | str | None = None,
    engine: str | None = None,
) -> BasePredictor:
    """Loads a resolved name as `load` does."""
    choice = resolved.choice
    spaces = label_spaces(choice.entry.card.labels, labels, model=choice.name)
    predictor = _load_resolved(catalogue(), resolved, *spaces, device_of(device), engine=engine)
    _log_head_transfer(predictor)
    return predictor


def _load_by_name(
    name: str | PathLike[str],
    weights: bool | str | PathLike[str],
    labels: Sequence[str] | str | LabelSpace | None,
    device: torch.device,
    *,
    engine: str | None = None,
    progress: bool | None = None,
) -> BasePredictor:
    name = f"{FILE_PREFIX}{fspath(name)}" if isinstance(name, PathLike) else name
    _check_types(name, weights)
    models = catalogue()
    choice = choose(models, name, weights)
    spaces = label_spaces(choice.entry.card.labels, labels, model=choice.name)
    resolved = resolve(models, choice, weights, progress=progress)
    return _load_resolved(models, resolved, *spaces, device, engine=engine, progress=progress)


def _load_resolved(
    models: Catalogue,
    resolved: Resolved,
    old: LabelSpace | None,
    new: LabelSpace,
    device: torch.device,
    *,
    engine: str | None = None,
    progress: bool | None = None,
) -> BasePredictor:
    file = resolved.file
    if resolved.exported_file or not _is_torch(engine):
        request = EngineRequest.of(
            engine or FIRST_READABLE_ENGINE, resolved, old, new, device, progress=progress
        )
        return request.build(models)
    if file is not None and torch.get_default_device().type == "meta":
        raise UsageError(
            f"'{resolved.choice.name}' can't be loaded with weights.",
            "torch's default device is 'meta' here, which computes nothing: its tensors have no "
            "content.",
            'Call torch.set_default_device("cpu"), or pass weights=False for the shapes alone.',
        )
    if file is None:
        detector = build(models, resolved.choice, new)
    else:
        failure = f"'{resolved.choice.name}' can't be loaded from {file.source}."
        with pause_gc():
            detector = _fill_for(models, resolved, file, old, new, failure=failure)
        detector.weights = file
    detector.name = name_with_labels(resolved.name, old, new)
    detector.choice = resolved.choice
    return detector.eval().to(device)


def _is_torch(engine: str | None) -> bool:
    """Whether torch computes the network. Raises: UsageError for options, which torch has none
    of."""
    if engine is None:
        return True
    name, options = parse_engine(engine)
    if name == TORCH and options:
        raise UsageError(
            f"The engine '{engine}' can't be used.",
            "PyTorch has one number of threads for all that it does in a process.",
            "Call torch.set_num_threads() before, and leave the options out.",
            fix_cli="Leave them out, and set it for the command: OMP_NUM_THREADS=2 zoo …",
        )
    return name == TORCH


def _check_types(name: str, weights: bool | str | PathLike[str]) -> None:
    """Raises: TypeError for values that a type checker refuses."""
    if not isinstance(name, str):
        raise TypeError(
            f'zoo.load takes the name of a model, as in zoo.load("yolox_nano"), not {name!r}'
        )
    if not isinstance(weights, bool | str | PathLike) or weights == "":
        shown = type_name(weights) if isinstance(weights, Mapping) else repr(weights)
        raise TypeError(
            f"weights={shown:.80}: True for the card's, False for random ones, a tag, 'file:PATH' "
            f"or 'hub:org/repo'"
        )


def device_of(device: torch.device | str | None) -> torch.device:
    """The torch device, None being the default one. Raises: UsageError if it can't be used."""
    requested = torch.get_default_device() if device is None else device
    try:
        torch.empty(1, device=requested)
        return torch.device(requested)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        # `current_accelerator` names what torch was built for, also on a machine that has none.
        best = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        devices = ["cpu", *([str(best)] if best else [])]
        case = (
            f"This torch ({torch.__version__}) says: "
            f"{' '.join(str(error).split())[:200].rstrip('.')}."
        )
        fix = f"Here there is: {', '.join(devices)}."
        if "Expected one of" in str(error):  # and it lists twenty types that hardly anybody has
            case = "PyTorch has no type of device of that name."
            fix = f"An NVIDIA GPU is 'cuda', one of Apple 'mps'. {fix}"
        raise UsageError(f"The device '{requested}' can't be used.", case, fix) from error


def _fill_for(
    models: Catalogue,
    resolved: Resolved,
    file: WeightsFile,
    old: LabelSpace | None,
    new: LabelSpace,
    *,
    failure: str,
) -> Detector:
    """Builds the architecture for `new` and fills it with weights for `old` (None: for `new`), or
    with a user's own weights, which may be for `new` already."""
    make = partial(build, models, resolved.choice, files=resolved.others)
    own = resolved.weights is None
    with reading(file.path, own=file.own) as checkpoint:
        with on_meta_device():
            detector = make(new)
        published = widen_float8(checkpoint.tensors(), failure=failure)
    _check_unchanged(file, failure=failure)
    if own and not file.finite:  # the hash vouches for published files
        check_finite(published, failure=failure)
        note_finite(file.key, file.path)
    try:
        _fill(detector, published, old, new, own=own, make=make, failure=failure)
    except (CheckpointError, ContractError):
        bare = without_prefix(detector, published)
        if bare is None:
            raise
        log.warning("'%s' is loaded from %s. %s", resolved.choice.name, file.source, bare)
        _fill(detector, bare.tensors, old, new, own=own, make=make, failure=failure)
    # A user's own weights were probably trained from the card's, so they need the same settings.
    card_weights = resolved.weights or resolved.choice.weights
    if card_weights and card_weights.post_load:
        post_load(detector, deepcopy(card_weights.post_load))
    return detector


def _fill(
    detector: Detector,
    published: Mapping[str, Tensor],
    old: LabelSpace | None,
    new: LabelSpace,
    *,
    own: bool,
    make: Callable[[LabelSpace], Detector],
    failure: str,
) -> None:
    """Fills a detector for `new` with weights.

    own: whether they are a user's own, which may be for `new` already.
    """
    if old is None or new == old or _is_open(detector) or (own and fits(detector, published)):
        assign(detector, published, failure=failure)
    else:
        detector.head_transfer = transfer_head(
            detector, published, old=old, make=make, failure=failure
        )


def _is_open(detector: Detector) -> bool:
    """Whether its labels are a prompt, so that the same weights serve for all of them."""
    layers = class_layers(detector)
    return layers is not None and not layers


def _check_unchanged(file: WeightsFile, *, failure: str) -> None:
    """Raises: CheckpointError if the file changed since it was hashed."""
    if file.stamp and not file.own and FileStamp.of(file.path) != file.stamp:
        raise CheckpointError(
            failure, f"{file.path} changed while it was read.", "Load it again, once it is written."
        )


def _log_head_transfer(predictor: BasePredictor) -> None:
    """Warns of the classes that a detector's weights do not know, and logs the whole report."""
    transfer = predictor.head_transfer if isinstance(predictor, Detector) else None
    if transfer is None:
        return
    if transfer.new_classes:
        log.warning(
            "%s has to be trained first for %s; its `head_transfer` says what is new.",
            predictor.name,
            join_first(transfer.new_classes, MAX_NAMES_SHOWN),
        )
    log.info("%s: %s", predictor.name, transfer)
