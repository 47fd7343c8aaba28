"""An export under way: one way after the other, until a graph agrees with torch."""

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
_IN_FLOAT32 = "Nothing was written. Export in float32, at twice the size: leave half out."
LONGEST = 300  # characters of what an exporter says that are repeated
Start = Callable[[Path, EngineRequest], Session]
# What computes a file of each format, to hold it against torch.
_CHECKED_BY: dict[str, tuple[str, Start]] = {
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


@dataclass(frozen=True)
class Made:
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
    """An export under way, of a detector in eval mode.

    choice: the card of the file. images: to compare on. say: told what is being done.
    """

    detector: Detector
    choice: Choice
    format: Format
    images: Sequence[Tensor]
    say: Callable[[str], None]

    def made(self, folder: Path, ways: Sequence[Way]) -> Made:
        """The file of the first way that gives one, in an empty folder.

        Raises: ExportError with the reason of each; MissingExtra.
        """
        reasons: list[str] = []
        asked = f"'{self.choice.name}' can't be exported as {self.format}."
        for number, way in enumerate(ways):
            self.say(f"Exporting {self.choice.name} ({way})")
            place = folder / str(number)
            place.mkdir()
            try:
                file, facts = self._written(place, way)
                self.say(f"Comparing {self.choice.name} with torch")
                parity = self._compared(file, facts, EXACT, asked=asked)
            except ExportError as error:
                reasons.append(f"{way}: {error.case}")
                continue
            except StepError as error:
                reasons.append(f"{way}: {error}")
                continue
            except ContractError as error:  # the family refuses, whichever way
                raise ExportError(asked, error.case, error.fix) from error
            facts = structs.replace(facts, parity=asdict(parity))
            return Made(self._labelled(place, file, facts), facts, parity, tuple(reasons))
        raise ExportError(
            asked, reasons, "Nothing was written; docs/howto/export.md says what is possible."
        )

    def halved(self, made: Made, folder: Path, data: Dataset | None = None) -> Made:
        """The same with weights in float16. data: to measure the AP of both on.

        Raises: ExportError where outputs or detections are further from torch than HALF.
        """
        asked = f"'{self.choice.name}' can't be exported with weights in float16."
        self.say(f"Comparing {self.choice.name} in float16 with torch")
        facts = structs.replace(made.facts, precision=FLOAT16, parity={})
        file = write_half(made.file, _folder(folder / "half"), facts)
        engine = self.engine(file, facts)
        parity = measure(
            self.detector, engine, self.images, asked=asked, tolerance=HALF, fix=_IN_FLOAT32
        )
        facts = structs.replace(facts, parity=asdict(parity))
        measured = None
        if data is not None:
            self.say(f"Measuring AP on {pluralize(len(data), 'image')}")
            before = report(self.engine(made.file, made.facts), data)
            measured = accuracy(before, report(engine, data))
            facts = structs.replace(facts, measured=asdict(measured))
        file = write_half(made.file, _folder(folder / "whole"), facts)
        return Made(file, facts, parity, made.tried, measured)

    def engine(self, file: Path, facts: ExportFacts, *, threads: int | None = None) -> Engine:
        """The engine of a file that was made here. threads: else as many as there are cores.

        Raises: ExportError where it can't be read.
        """
        name, start = _CHECKED_BY[facts.format]
        request = replace(request_for(self.detector, self.choice, name), threads=threads)
        try:
            session = start(file, request)
        except ZooError:
            raise
        except Exception as error:
            case = f"{name} can't read it: {_said(error)}"
            raise ExportError(f"'{self.choice.name}' can't be exported.", case, "") from error
        return Engine(session, request=request, facts=facts, file=file, network=self._network)

    @cached_property
    def _network(self) -> Detector:
        """The detector without content, which all files made here share."""
        return network_of(request_for(self.detector, self.choice, _CHECKED_BY[self.format][0]))

    def _written(self, folder: Path, way: Way) -> tuple[Path, ExportFacts]:
        """A graph and what is to be said of it. Raises: ExportError."""
        example = Example.of(self.detector, self.images[0], way.batch or 2)
        trace = example.trace(dynamic_batch=way.batch is None)
        facts = example.facts(
            self.choice,
            format=self.format,
            exporter=way.exporter,
            dynamic_batch=way.batch is None,
        )
        try:
            return self._exported(folder, trace, way, facts), facts
        except ZooError:
            raise
        except Exception as error:
            raise _failed(error, way) from error

    def _exported(self, folder: Path, trace: Trace, way: Way, facts: ExportFacts) -> Path:
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

    def _compared(
        self, file: Path, facts: ExportFacts, tolerance: Tolerance, *, asked: str
    ) -> Parity:
        """The differences from torch. Raises: ExportError."""
        engine = self.engine(file, facts)
        return measure(self.detector, engine, self.images, asked=asked, tolerance=tolerance)

    def _labelled(self, folder: Path, file: Path, facts: ExportFacts) -> Path:
        """The file with all that is known of it; only now is the parity."""
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


def _failed(error: Exception, way: Way) -> ExportError:
    """The error of an exporter in a few words; the family's own where it refused."""
    refused = next((each for each in made_of(error) if isinstance(each, ContractError)), None)
    if refused is not None:
        return ExportError(refused.asked, f"{refused.asked} {refused.case}", refused.fix)
    first = list(made_of(error))[-1]
    return ExportError("", f"The exporter {way.exporter} failed with {_said(first)}", "")


def _said(error: BaseException) -> str:
    """`RuntimeError: its message`, on one line, shortened."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
