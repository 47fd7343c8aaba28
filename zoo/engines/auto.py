"""`auto`: the fastest installed engine that agrees with torch on this machine; and of an exported
file, the first installed engine that can read it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from zoo.detectors.detector import BasePredictor
from zoo.detectors.engine_request import TORCH, EngineRequest, names
from zoo.engines.cache import agreement_key, key_of
from zoo.engines.engine import Engine
from zoo.engines.scenes import scenes
from zoo.environment import home
from zoo.errors import ExportError, MissingExtra, NameNotFound, UsageError
from zoo.files import write_file
from zoo.registry import catalogue
from zoo.registry.exported import FIRST_READABLE_ENGINE

log = logging.getLogger("zoo")

AUTO = "auto"
# Compiling takes a minute or more at each start: only for whoever asks for it.
_NOT_TRIED = {AUTO, FIRST_READABLE_ENGINE, TORCH, "compile"}
_UNABLE = (MissingExtra, ExportError, UsageError)  # an engine here, for this model and device
ROUNDS = 5


def build(request: EngineRequest) -> BasePredictor:
    """The engine that was the fastest before, or is now; torch where none is faster."""
    if request.resolved.exported_file is not None:
        return build_first(request)
    remembered = _remembered(request)
    if remembered is not None:
        return remembered
    return _fastest(request)


def build_first(request: EngineRequest) -> BasePredictor:
    """The first engine that is installed and reads the exported file.

    Raises: MissingExtra where none is installed; UsageError where none reads it.
    """
    missing: MissingExtra | None = None
    for name in [*_candidates(), TORCH]:
        try:
            return request.with_engine(name).build()
        except MissingExtra as error:
            missing = missing or error
        except UsageError:
            continue
    if missing is not None:
        raise missing
    raise UsageError(
        f"{request.resolved.exported_file} can't be loaded.",
        "No engine that is installed reads that format.",
        "See which there are: zoo plugins",
    )


def _candidates() -> list[str]:
    return [name for name in names(catalogue()) if name not in _NOT_TRIED]


def _remembered(request: EngineRequest) -> BasePredictor | None:
    """The engine that was chosen before, if everything it was chosen from is the same."""
    try:
        known: Any = json.loads(_file(request).read_text(encoding="utf-8"))
        if known["candidates"] != _candidates():
            return None
        name = known["engine"]
        if name == TORCH:
            return request.detector().to(request.device)
        engine = request.with_engine(name).build()
    except (OSError, ValueError, KeyError, TypeError, *_UNABLE, NameNotFound):
        return None
    same = isinstance(engine, Engine) and agreement_key(engine) == known["key"]
    return engine if same else None


def _fastest(request: EngineRequest) -> BasePredictor:
    """The fastest of torch and the engines that agree with it, which is remembered."""
    detector = request.detector().to(request.device)
    able: dict[str, BasePredictor] = {TORCH: detector, **dict(_able(request))}
    seconds = timed(able)
    best = min(seconds, key=lambda name: seconds[name])
    chosen = able[best]
    log.info(
        "%s runs on %s: %s",
        detector.name,
        best,
        ", ".join(f"{name} {1000 * second:.1f} ms" for name, second in seconds.items()),
    )
    key = agreement_key(chosen) if isinstance(chosen, Engine) else TORCH
    facts = {"engine": best, "key": key, "candidates": _candidates(), "seconds": seconds}
    try:
        write_file(_file(request), json.dumps(facts, indent=2))
    except OSError as error:
        log.warning("The fastest engine can't be remembered: %s", error.strerror)
    return chosen


def _able(request: EngineRequest) -> Iterator[tuple[str, BasePredictor]]:
    """The engines that are installed and agree with torch."""
    for name in _candidates():
        try:
            yield name, request.with_engine(name).build()
        except MissingExtra:
            continue
        except (ExportError, UsageError) as error:  # UsageError: not on that device
            log.warning("The engine %s is left out: %s", name, error.case)


def timed(able: dict[str, BasePredictor]) -> dict[str, float]:
    """Seconds of one image in each, the least of several rounds in turn, after one to warm up."""
    image = scenes()[0]
    best = dict.fromkeys(able, float("inf"))
    for turn in range(ROUNDS + 1):
        for name, predictor in able.items():
            begun = perf_counter()
            predictor.predict([image], predictor.defaults)
            if turn:
                best[name] = min(best[name], perf_counter() - begun)
    return best


def _file(request: EngineRequest) -> Any:
    """The file in which the choice for such a device is remembered."""
    return home() / "engines" / key_of(request, AUTO) / f"auto-{request.device.type}.json"
