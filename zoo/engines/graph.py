"""Makes an engine from a request: runs the named exported file, or exports the model once into the
cache and verifies that the engine agrees with torch on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.contract.session import Session
from zoo.detectors.engine_request import TORCH, EngineRequest
from zoo.engines.cache import export_own, find_or_export, find_own, has_agreed, note_agreed
from zoo.engines.draft import Format, Way, ways_after
from zoo.engines.engine import Engine
from zoo.engines.lanes import Lanes, lanes_for
from zoo.engines.parity import Parity, measure
from zoo.engines.scenes import scenes
from zoo.errors import ExportError, UsageError
from zoo.registry.exported import read_facts

Start = Callable[[Path, EngineRequest], Session]


def graph_engine(
    request: EngineRequest, start: Start, *, formats: Sequence[Format], lanes: bool = False
) -> Engine:
    """The engine of a request.

    start:   loads a graph and returns a session that runs it.
    formats: the formats of exported files that it reads: "onnx", "openvino", "torch"; a model is
        exported in the first of them.
    lanes:   whether the images of a batch run side by side on a CPU, each on its own core, instead
        of in one call. `start` is then called a second time, with their number in
        `EngineRequest.lanes`.
    Raises:
        UsageError: the file is of another format, or the model has random weights.
        ExportError: the model can't be exported, or the engine does not agree with torch.
    """
    file = request.resolved.exported_file
    if file is not None:
        facts = read_facts(file)
        if facts.format not in formats:
            raise UsageError(
                f"{file} can't be run by the engine {request.engine}.",
                f"Its format is {facts.format}, and that engine reads {' and '.join(formats)}.",
                "Leave the engine out, or export the model in another format.",
            )
        return _start_engine(request, start, file, lanes=lanes)
    return _Maker(request, start, formats[0], lanes).make()


@dataclass(frozen=True)
class _Maker:
    """Makes the engine of a model by name, in one of the ways that `zoo.export` tries."""

    request: EngineRequest
    start: Start
    format: Format
    lanes: bool

    def make(self) -> Engine:
        """The engine of the file that engines share; where it does not agree with torch on that
        file, of one that another exporter writes for it alone.

        Raises: ExportError with the reason of each way.
        """
        own = find_own(self.request, self.format)
        if own is not None:
            return self._checked(own)
        file = find_or_export(self.request, self.format, refusal=self._refusal)
        try:
            return self._checked(file)
        except ExportError as error:
            return self._made_of_another(file, error)

    def _made_of_another(self, file: Path, error: ExportError) -> Engine:
        facts = read_facts(file)
        first = f"{Way(facts.exporter, facts.input.batch)}: {error.case}"
        remaining = ways_after(facts, self.format)
        if not remaining:
            raise self._refusal([first]) from error
        measured: list[Parity] = []
        own = export_own(
            self.request,
            self.format,
            remaining,
            refusal=lambda reasons: self._refusal([first, *reasons]),
            accept=lambda draft: measured.append(self._parity(self._start(draft))),
        )
        engine = self._start(own)
        note_agreed(own, engine, measured[-1])
        return engine

    def _checked(self, file: Path) -> Engine:
        """The engine of that file. Raises: ExportError if it does not agree with torch."""
        engine = self._start(file)
        if not has_agreed(file, engine):
            note_agreed(file, engine, self._parity(engine))
        return engine

    def _start(self, file: Path) -> Engine:
        return _start_engine(self.request, self.start, file, lanes=self.lanes)

    def _parity(self, engine: Engine) -> Parity:
        try:
            return measure(self.request.detector(), engine, scenes(), failure="")
        except ExportError as error:
            raise self._refusal([error.case]) from error

    def _refusal(self, reasons: Sequence[str]) -> ExportError:
        exported_for_others = self.format == "onnx" and self.request.engine != "onnxruntime"
        other = "onnxruntime" if exported_for_others else TORCH
        return ExportError(
            f"The engine {self.request.engine} can't run '{self.request.resolved.name}'.",
            list(reasons),
            f"Choose another engine: engine='{other}'",
            fix_cli=f"Choose another engine: --engine {other}",
        )


def _start_engine(request: EngineRequest, start: Start, file: Path, *, lanes: bool) -> Engine:
    count = lanes_for(request) if lanes else 0
    side_by_side = replace(request, lanes=count)
    return Engine(
        start(file, request),
        request=request,
        facts=read_facts(file),
        file=file,
        lanes=Lanes(count, lambda: start(file, side_by_side)) if count else None,
    )
