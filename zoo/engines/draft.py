"""Tries to export a detector, one way after the other, until a graph agrees with torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from msgspec import structs
from torch import Tensor

from zoo.contract.predictor import StepError
from zoo.contract.session import Session
from zoo.data import Dataset
from zoo.detectors import Detector
from zoo.detectors.engine_request import EngineRequest
from zoo.engines import onnx_runtime, openvino_runtime, torch_program
from zoo.engines.accuracy import Accuracy, accuracy, report
from zoo.engines.card import request_for
from zoo.engines.engine import Engine, network_of
from zoo.engines.formats import (
    Exporter,
    Trace,
    label_onnx,
    onnx_batch,
    program_of,
    write_onnx,
    write_openvino,
    write_program,
)
from zoo.engines.half import FLOAT16, write_half
from zoo.engines.parity import EXACT, HALF, Parity, Tolerance, measure
from zoo.engines.trace import Example
from zoo.errors import ContractError, ExportError, ZooError, made_of
from zoo.registry import Choice
from zoo.registry.exported import ExportFacts
from zoo.text import pluralize

Format = Literal["onnx", "openvino", "torch"]
PROGRAM = "torch.export"
OTHER_FORMATS = (
    "Nothing was written. Try another format: a FILE.onnx, a FOLDER for OpenVINO, or a FILE.pt2."
)
_IN_FLOAT32 = "Nothing was written. Export in float32, at twice the size: leave half out."
MAX_ERROR_LETTERS = 300  # of an exporter's error that are repeated
Refusal = Callable[[Sequence[str]], ExportError]
Accept = Callable[[Path], object]
StartSession = Callable[[Path, EngineRequest], Session]
# What computes a file of each format, to hold it against torch.
_CHECKED_BY: dict[str, tuple[str, StartSession]] = {
    "onnx": ("onnxruntime", onnx_runtime.start),
    "openvino": ("openvino", openvino_runtime.start),
    "torch": ("torch", torch_program.start),
}


@dataclass(frozen=True)
class Way:
    """One way to export. batch: images at once; None is any number."""

    exporter: str
    batch: int | None

    def __str__(self) -> str:
        return f"{self.exporter}, batch {self.batch or 'dynamic'}"


def ways(
    format: Format, batch: int | Literal["dynamic"] | None, exporter: Exporter | None
) -> list[Way]:
    """The ways to try, best first."""
    if format == "torch":
        exporters = [PROGRAM]
    else:
        exporters = ["dynamo", "legacy"] if exporter is None else [exporter]
    batches: list[int | None] = [None] if batch in (None, "dynamic") else [int(batch)]
    if batch is None:
        batches.append(1)
    return [Way(each, count) for count in batches for each in exporters]


def ways_after(facts: ExportFacts, format: Format) -> list[Way]:
    """The ways that are left after the one that made an exported file of that format."""
    every = ways(format, None, None)
    made_by = Way(facts.exporter, facts.input.batch)
    return every[every.index(made_by) + 1 :] if made_by in every else []


@dataclass(frozen=True)
class Candidate:
    """A file that agrees with torch.

    tried:    the ways that failed before, each with the reason.
    accuracy: of a lighter file, where it was measured.
    """

    file: Path
    facts: ExportFacts
    parity: Parity
    tried: tuple[str, ...]
    accuracy: Accuracy | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An export in progress, of a detector in eval mode.

    choice: the card of the file.
    images: to compare on, uint8 `(3, h, w)` each.
    say:    called with the title of each step.
    refusal: the error where no way works, made of the reason of each.
    accept: called with each file that agrees with torch; its ExportError has the next way tried.
    """

    detector: Detector
    choice: Choice
    format: Format
    images: Sequence[Tensor]
    say: Callable[[str], None]
    refusal: Refusal | None = None
    accept: Accept | None = None

    def export(self, folder: Path, ways: Sequence[Way]) -> Candidate:
        """Exports into an empty folder by the first way that works.

        Raises: ExportError with the reason of each; MissingExtra.
        """
        reasons: list[str] = []
        failure = f"'{self.choice.name}' can't be exported as {self.format}."
        for number, way in enumerate(ways):
            self.say(f"Exporting {self.choice.name} ({way})")
            way_folder = folder / str(number)
            way_folder.mkdir()
            try:
                file, facts = self._write(way_folder, way)
                self.say(f"Comparing {self.choice.name} with torch")
                parity = self._compare(file, facts, EXACT, failure=failure)
                facts = structs.replace(facts, parity=asdict(parity))
                file = self._write_labels(way_folder, file, facts)
                if self.accept is not None:
                    self.accept(file)
            except ExportError as error:
                reasons.append(f"{way}: {error.case}")
                continue
            except StepError as error:
                reasons.append(f"{way}: {error}")
                continue
            except ContractError as error:  # the family refuses, whichever way
                raise ExportError(failure, error.case, error.fix) from error
            return Candidate(file, facts, parity, tuple(reasons))
        if self.refusal is not None:
            raise self.refusal(reasons)
        raise ExportError(failure, reasons, OTHER_FORMATS)

    def halve(self, export: Candidate, folder: Path, data: Dataset | None = None) -> Candidate:
        """Stores the weights of an exported file in float16.

        data: to measure the AP of both files on.

        Raises: ExportError if outputs or detections differ from torch by more than HALF.
        """
        failure = f"'{self.choice.name}' can't be exported with weights in float16."
        self.say(f"Comparing {self.choice.name} in float16 with torch")
        facts = structs.replace(export.facts, precision=FLOAT16, parity={})
        file = write_half(export.file, _folder(folder / "half"), facts)
        engine = self.engine(file, facts)
        parity = measure(
            self.detector, engine, self.images, failure=failure, tolerance=HALF, fix=_IN_FLOAT32
        )
        facts = structs.replace(facts, parity=asdict(parity))
        ap = None
        if data is not None:
            self.say(f"Measuring AP on {pluralize(len(data), 'image')}")
            before = report(self.engine(export.file, export.facts), data)
            ap = accuracy(before, report(engine, data))
            facts = structs.replace(facts, measured=asdict(ap))
        file = write_half(export.file, _folder(folder / "whole"), facts)
        return Candidate(file, facts, parity, export.tried, ap)

    def engine(self, file: Path, facts: ExportFacts, *, threads: int | None = None) -> Engine:
        """The engine of an exported file.

        threads: None is one per core.

        Raises: ExportError if the engine can't read it.
        """
        name, start = _CHECKED_BY[facts.format]
        request = replace(request_for(self.detector, self.choice, name), threads=threads)
        try:
            session = start(file, request)
        except ZooError:
            raise
        except Exception as error:
            case = f"{name} can't read it: {_error_line(error)}"
            raise ExportError(f"'{self.choice.name}' can't be exported.", case, "") from error
        return Engine(session, request=request, facts=facts, file=file, network=self._network)

    @cached_property
    def _network(self) -> Detector:
        """The detector without weights, shared by the engines of all files of this export."""
        return network_of(request_for(self.detector, self.choice, _CHECKED_BY[self.format][0]))

    def _write(self, folder: Path, way: Way) -> tuple[Path, ExportFacts]:
        """Writes a graph; returns it with its facts. Raises: ExportError."""
        example = Example.of(self.detector, self.images[0], way.batch or 2)
        trace = example.trace(dynamic_batch=way.batch is None)
        facts = example.facts(
            self.choice,
            format=self.format,
            exporter=way.exporter,
            dynamic_batch=way.batch is None,
        )
        try:
            return self._write_graph(folder, trace, way, facts), facts
        except ZooError:
            raise
        except Exception as error:
            raise _exporter_error(error, way) from error

    def _write_graph(self, folder: Path, trace: Trace, way: Way, facts: ExportFacts) -> Path:
        if self.format == "torch":
            write_program(program_of(trace), folder / "model.pt2", facts)
            return folder / "model.pt2"
        file = folder / "model.onnx"
        exporter: Exporter = "legacy" if way.exporter == "legacy" else "dynamo"
        write_onnx(trace, file, exporter)
        if way.batch is None and (fixed := onnx_batch(file)):
            case = f"The exporter fixed the batch at {fixed}, though it was told not to."
            raise ExportError("", case, "")
        if self.format == "onnx":
            return file
        return write_openvino(file, folder / "ir", facts)

    def _compare(
        self, file: Path, facts: ExportFacts, tolerance: Tolerance, *, failure: str
    ) -> Parity:
        """The differences from torch. Raises: ExportError."""
        engine = self.engine(file, facts)
        return measure(self.detector, engine, self.images, failure=failure, tolerance=tolerance)

    def _write_labels(self, folder: Path, file: Path, facts: ExportFacts) -> Path:
        """Writes the facts into the file, complete with the parity."""
        if self.format == "onnx":
            label_onnx(file, facts)
        elif self.format == "openvino":
            return write_openvino(folder / "model.onnx", folder / "whole", facts)
        else:
            write_program(torch.export.load(file), file, facts)
        return file


def _folder(path: Path) -> Path:
    """A new folder."""
    path.mkdir()
    return path


def _exporter_error(error: Exception, way: Way) -> ExportError:
    """An exporter's error in one line; the family's own if the family refused."""
    refusal = next((each for each in made_of(error) if isinstance(each, ContractError)), None)
    if refusal is not None:
        return ExportError(refusal.failure, f"{refusal.failure} {refusal.case}", refusal.fix)
    cause = list(made_of(error))[-1]
    return ExportError("", f"The exporter {way.exporter} failed with {_error_line(cause)}", "")


def _error_line(error: BaseException) -> str:
    """`RuntimeError: its message`, on one line, shortened."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if len(text) <= MAX_ERROR_LETTERS else f"{text[:MAX_ERROR_LETTERS]} …"
