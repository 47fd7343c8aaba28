"""Makes an engine from a request: runs the named exported file, or exports the model once into the
cache and verifies that the engine agrees with torch on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest
from zoo.engines.cache import find_or_export, has_agreed, note_agreed
from zoo.engines.draft import Format
from zoo.engines.engine import Engine
from zoo.engines.lanes import Lanes, lanes_for
from zoo.engines.parity import measure
from zoo.engines.scenes import scenes
from zoo.errors import UsageError
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
    file = find_or_export(request, formats[0])
    engine = _start_engine(request, start, file, lanes=lanes)
    if not has_agreed(file, engine):
        parity = measure(request.detector(), engine, scenes(), failure=_failure(engine))
        note_agreed(file, engine, parity)
    return engine


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


def _failure(engine: Engine) -> str:
    return f"The engine {engine.engine} {engine.version} can't run '{engine.name}'."
