"""From a request to an engine: the exported file that was named, or the model's own, exported once
and kept; and a look at whether its engine agrees with torch on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest
from zoo.engines.cache import converted, has_agreed, note_agreed
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

    start:   makes a graph ready to run.
    formats: of exported files that it reads: "onnx", "openvino", "torch"; a model is exported in
        the first of them.
    lanes:   whether the images of a batch run side by side on a processor, each on a core of its
        own, and not at once. `start` is called once more for them, with a request that says how
        many (`EngineRequest.lanes`).
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
                f"It is of the format {facts.format}, and that engine reads "
                f"{' and '.join(formats)}.",
                "Leave the engine out, or export the model in another format.",
            )
        return _started(request, start, file, lanes=lanes)
    file = converted(request, formats[0])
    engine = _started(request, start, file, lanes=lanes)
    if not has_agreed(file, engine):
        parity = measure(request.detector(), engine, scenes(), asked=_asked(engine))
        note_agreed(file, engine, parity)
    return engine


def _started(request: EngineRequest, start: Start, file: Path, *, lanes: bool) -> Engine:
    count = lanes_for(request) if lanes else 0
    side_by_side = replace(request, lanes=count)
    return Engine(
        start(file, request),
        request=request,
        facts=read_facts(file),
        file=file,
        lanes=Lanes(count, lambda: start(file, side_by_side)) if count else None,
    )


def _asked(engine: Engine) -> str:
    return f"The engine {engine.engine} {engine.version} can't run '{engine.name}'."
