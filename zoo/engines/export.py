"""`zoo.export`: writes a detector as ONNX, OpenVINO IR or a `torch.export` program, once it is
verified that the file returns what torch does."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from zoo.data import Dataset
from zoo.data import read as read_data
from zoo.detectors.detector import BasePredictor, Detector
from zoo.detectors.load import load
from zoo.engines.accuracy import Accuracy
from zoo.engines.card import choice_of
from zoo.engines.draft import Accept, Candidate, Draft, Format, Refusal, Way, ways
from zoo.engines.formats import Exporter
from zoo.engines.int8 import Int8, Quantized, quantize
from zoo.engines.parity import Parity
from zoo.engines.scenes import images_of, scenes
from zoo.environment import expand_home
from zoo.errors import ExportError, UsageError
from zoo.files import atomic_folder, atomic_write, copy_into, unwritable, write_errors
from zoo.inference.runner import eval_mode
from zoo.progress import Bar
from zoo.registry.exported import FORMATS

_FREE_DESTINATION = "Name a place that can be written, and a folder that is not there yet."


@dataclass(frozen=True)
class Exported:
    """A file that was exported.

    path:    the file, or the folder of OpenVINO IR; `zoo.load(f"file:{path}")` loads it.
    batch:   images at once; None is any number. dynamic_size: it takes inputs of several sizes.
    exporter: what wrote the graph, and what was tried before and could not, with the reason.
    float32_bytes: what it would have in float32.
    precision: "float32"; "float16" weights; or "int8", weights and activations of most layers.
    parity:  the differences from torch that were measured before it was written.
    accuracy: its AP and that in float32, where it was measured.
    int8:    the layers in int8, and what was gained.
    """

    path: Path
    name: str
    format: str
    bytes: int
    float32_bytes: int
    precision: str
    batch: int | None
    dynamic_size: bool
    exporter: str
    tried: tuple[str, ...]
    parity: Parity
    accuracy: Accuracy | None
    int8: Quantized | None
    seconds: float

    def to_json(self) -> str:
        """Everything, as `zoo export --json` prints it."""
        return json.dumps(asdict(self) | {"path": str(self.path)}, indent=2)


def export(  # noqa: PLR0913 - everything that can be said of an export in one place
    model: str | os.PathLike[str] | Detector,
    *,
    to: str | os.PathLike[str],
    format: Format | None = None,
    batch: int | Literal["dynamic"] | None = None,
    images: Sequence[str] = (),
    exporter: Exporter | None = None,
    half: bool = False,
    int8: Int8 | None = None,
    data: str | os.PathLike[str] | Dataset | None = None,
    progress: bool | None = None,
) -> Exported:
    """Writes a detector's `forward` as a graph, with everything needed to load it again: card,
    preprocessing, classes, thresholds, licences and the hash of its weights.

    The file appears at `to` once its outputs and detections agree with torch's on several images,
    input sizes and batch sizes.

    model:    a name, or a detector that was loaded or composed.
    to:       the file, `.onnx` or `.pt2`; or a folder, for OpenVINO IR.
    format:   "onnx", "openvino" or "torch"; None goes by `to`.
    batch:    images at once: a number, or "dynamic" for any; None is any where the network allows
              it, and else one.
    images:   files, folders or globs to compare on; else rendered scenes.
    exporter: of ONNX: "dynamo" or "legacy"; None tries them in that order.
    half:     store the weights in float16, at half the size; the arithmetic stays in float32.
    int8:     compute layers in int8, within a budget of AP, where that is faster; of ONNX.
    data:     annotated images to measure the AP on, of a lighter file and in float32.
    progress: a bar; None shows one on a terminal where it takes longer than a second.

    Raises:
        ExportError: the network can't be exported; or the graph does not agree with torch, naming
            the output that differs, where and by how much; or no INT8 file is both within the
            budget and faster. Nothing is written then.
        DataError, LabelError: the data is wrong, or the model knows none of its classes.
        UsageError: an option can't be; the detector has no card.
        MissingExtra: a package that writes or checks the format is not installed.
    """
    path = expand_home(to)
    chosen = _format(format, path)
    _check_batch(batch)
    ways_to_try = ways(chosen, batch, exporter)
    lighter = _lighter(chosen, half, int8, data)
    _check_destination(path, chosen)
    detector = _detector(model, progress)
    _check_on_cpu_float32(detector)
    images_to_compare = images_of(images) if images else scenes()
    plan = _Plan(path, chosen, ways_to_try, images_to_compare, lighter)
    return _write_export(detector, plan, progress)


def export_for_engine(
    detector: Detector,
    *,
    to: Path,
    format: Format,
    ways: Sequence[Way],
    refusal: Refusal,
    accept: Accept | None,
    progress: bool | None,
) -> Exported:
    """Writes a detector as a file for an engine, by the first of the ways that works.

    refusal, accept: see `Draft`.
    Raises: ExportError made by `refusal`, or where the file can't be written.
    """
    _check_destination(to, format)
    _check_on_cpu_float32(detector)
    plan = _Plan(to, format, ways, scenes(), _Lighter(False, None, None), refusal, accept)
    return _write_export(detector, plan, progress)


@dataclass(frozen=True)
class _Lighter:
    """The options of a smaller file: float16 weights or INT8 layers, if any.

    data: to measure its AP on.
    """

    half: bool
    int8: Int8 | None
    data: Dataset | None

    @property
    def steps(self) -> int:
        """How many steps of the progress bar it takes."""
        return self.half + (self.half and self.data is not None)


@dataclass(frozen=True)
class _Plan:
    """An export: its file, and how that is made; see `Draft`."""

    path: Path
    format: Format
    ways: Sequence[Way]
    images: Sequence[Tensor]
    lighter: _Lighter
    refusal: Refusal | None = None
    accept: Accept | None = None


def _write_export(detector: Detector, plan: _Plan, progress: bool | None) -> Exported:
    """Exports by the first way whose graph agrees with torch, and moves the file to its place."""
    path, format, lighter = plan.path, plan.format, plan.lighter
    start = perf_counter()
    title, steps = f"Exporting {detector.name or 'a detector'}", 3 + lighter.steps
    choice, outcome = choice_of(detector), None
    with tempfile.TemporaryDirectory(prefix="zoo-export-") as name, eval_mode(detector):
        folder = Path(name)
        with Bar(title, total=steps, show=progress) as bar:
            work = Draft(
                detector=detector,
                choice=choice,
                format=format,
                images=plan.images,
                say=lambda description: bar.advance(description=description),
                refusal=plan.refusal,
                accept=plan.accept,
            )
            candidate = work.export(folder, plan.ways)
            float32_bytes = _bytes(_whole(candidate.file, format))
            if lighter.half:
                candidate = work.halve(candidate, folder, lighter.data)
        if lighter.int8 is not None:
            candidate, outcome = quantize(
                work, candidate, folder, lighter.int8, lighter.data, show=progress
            )
        _move_to_destination(candidate.file, path, format)
    seconds = perf_counter() - start
    return _export_result(path, candidate, outcome, float32_bytes=float32_bytes, seconds=seconds)


def _export_result(
    path: Path,
    candidate: Candidate,
    outcome: Quantized | None,
    *,
    float32_bytes: int,
    seconds: float,
) -> Exported:
    """The facts of the finished file."""
    facts = candidate.facts
    return Exported(
        path=path,
        name=facts.name,
        format=facts.format,
        bytes=_bytes(path),
        float32_bytes=float32_bytes,
        precision=facts.precision,
        batch=facts.input.batch,
        dynamic_size=facts.input.dynamic_size,
        exporter=facts.exporter,
        tried=candidate.tried,
        parity=candidate.parity,
        accuracy=candidate.accuracy,
        int8=outcome,
        seconds=seconds,
    )


def _detector(model: str | os.PathLike[str] | BasePredictor, progress: bool | None) -> Detector:
    """The detector, loaded if a name was given. Raises: UsageError for an exported file."""
    loaded: BasePredictor = (
        model if isinstance(model, BasePredictor) else load(model, device="cpu", progress=progress)
    )
    if isinstance(loaded, Detector):
        return loaded
    raise UsageError(
        f"'{getattr(loaded, 'file', loaded.name)}' can't be exported.",
        "It is an exported file already.",
        "Export the model that it was made of.",
    )


def _format(format: Format | None, path: Path) -> Format:
    """The format, by its name or the path's suffix.

    Raises: UsageError for an unknown format, or one that contradicts the suffix.
    """
    if format is not None and format not in get_args(Format):
        raise UsageError(
            f"A model can't be exported as '{format}'.",
            "There is no such format.",
            f"There are {', '.join(get_args(Format))}.",
        )
    by_suffix: Any = FORMATS.get(path.suffix)
    if path.suffix == ".xml":
        raise UsageError(
            f"A model can't be exported to '{path}'.",
            "OpenVINO IR is two files, in a folder of its own.",
            f"Name a folder: {path.with_suffix('')}",
        )
    if by_suffix is None and format is None and path.suffix[1:].isalpha():
        raise UsageError(
            f"A model can't be exported to '{path}'.",
            f"No format has files that end in {path.suffix}.",
            f"Name it {path.with_suffix('.onnx').name} or {path.with_suffix('.pt2').name}, or name "
            f"a folder, for OpenVINO IR: {path.with_suffix('')}",
        )
    if by_suffix is None and format in (None, "openvino"):
        return "openvino"
    if by_suffix is None or format not in (None, by_suffix):
        suffix = next(suffix for suffix, name in FORMATS.items() if name == (format or by_suffix))
        fix = f"Name it {path.with_suffix(suffix).name}" if suffix != ".xml" else "Name a folder."
        raise UsageError(
            f"A model can't be exported to '{path}' as {format}.",
            "The file's name says otherwise, and zoo.load goes by it.",
            fix,
        )
    return by_suffix  # type: ignore[no-any-return]


def _lighter(
    format: Format,
    half: bool,
    int8: Int8 | None,
    data: str | os.PathLike[str] | Dataset | None,
) -> _Lighter:
    """The options of a smaller file. Raises: UsageError for options that exclude each other."""
    if half and int8 is not None:
        raise UsageError(
            "A model can't be exported in float16 and in INT8.",
            "They are two files.",
            "Leave out one of the two.",
        )
    if int8 is not None and format != "onnx":
        raise UsageError(
            f"A model can't be exported in INT8 as {format}.",
            "It is quantised by ONNX Runtime, as ONNX, which OpenVINO reads as well.",
            "Name a file that ends in .onnx.",
        )
    if data is not None and not half and int8 is None:
        raise UsageError(
            "AP can't be measured on the data.",
            "A file in float32 gives the detections of the model: there is nothing to compare.",
            "Leave the data out, or export with half=True.",
            fix_cli="Leave --data out, or add --half.",
        )
    return _Lighter(half, int8, None if data is None else read_data(data))


def _check_batch(batch: object) -> None:
    if batch in (None, "dynamic") or (type(batch) is int and 0 < batch <= 4096):
        return
    raise UsageError(
        f"batch={batch!r} can't be used.",
        "It is a number of images, at least 1, or 'dynamic' for any number.",
        "Write batch=1, for example.",
        fix_cli="Write --batch 1, for example.",
    )


def _check_on_cpu_float32(detector: Detector) -> None:
    """Raises: UsageError for a detector that is not on the CPU in float32."""
    if detector.device.type != "cpu" or detector.dtype != torch.float32:
        raise UsageError(
            f"A detector on {detector.device} in {str(detector.dtype).removeprefix('torch.')} "
            f"can't be exported.",
            "It is exported on the CPU in float32.",
            "Pass model.cpu().float().",
        )


def _check_destination(to: Path, format: Format) -> None:
    """Raises: ExportError if the file or folder can't be written, before minutes of work."""
    folder = format == "openvino"
    if to.is_dir() and not (folder and not any(to.iterdir())):
        case = "There is such a folder, with files in it." if folder else "That is a folder."
    elif folder and to.exists():
        case = "That is a file."
    elif reason := unwritable(to.absolute().parent):
        case = f"{reason}."
    else:
        return
    raise ExportError(f"{to} can't be written.", case, _FREE_DESTINATION)


def _move_to_destination(file: Path, to: Path, format: Format) -> None:
    """Moves the finished file or folder to its destination, whole or not at all."""
    with write_errors(to, ExportError, fix=_FREE_DESTINATION):
        if format == "openvino":
            with atomic_folder(to) as folder:
                copy_into(folder, [(part.name, part) for part in sorted(file.parent.iterdir())])
        else:
            with atomic_write(to) as draft:
                shutil.copyfile(file, draft)


def _whole(file: Path, format: Format) -> Path:
    """The file, or for OpenVINO IR its folder."""
    return file.parent if format == "openvino" else file


def _bytes(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
