"""`auto`: the fastest installed engine that agrees with torch on this machine; for exported files,
the first installed engine that reads them."""

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
# Compiling takes a minute or more at each start, so it has to be requested by name.
_NOT_TRIED = {AUTO, FIRST_READABLE_ENGINE, TORCH, "compile"}
# Errors of an engine that can't be used here, for this model and device.
_UNAVAILABLE = (MissingExtra, ExportError, UsageError)
ROUNDS = 5


def build(request: EngineRequest) -> BasePredictor:
    """The engine that was the fastest in an earlier process, or else is now; may be torch."""
    if request.resolved.exported_file is not None:
        return build_first(request)
    predictor = _load_remembered(request)
    if predictor is not None:
        return predictor
    return _fastest(request)


def build_first(request: EngineRequest) -> BasePredictor:
    """The first engine that is installed and reads the exported file.

    Raises: MissingExtra if none is installed; UsageError if none reads it.
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
        "No installed engine reads that format.",
        "List the installed engines: zoo plugins",
    )


def _candidates() -> list[str]:
    return [name for name in names(catalogue()) if name not in _NOT_TRIED]


def _load_remembered(request: EngineRequest) -> BasePredictor | None:
    """The engine of the stored choice; None if the candidates have changed, it no longer works, or
    there is none."""
    try:
        choice: Any = json.loads(_file(request).read_text(encoding="utf-8"))
        if choice["candidates"] != _candidates():
            return None
        name = choice["engine"]
        if name == TORCH:
            return request.detector().to(request.device)
        engine = request.with_engine(name).build()
    except (OSError, ValueError, KeyError, TypeError, *_UNAVAILABLE, NameNotFound):
        return None
    same = isinstance(engine, Engine) and agreement_key(engine) == choice["key"]
    return engine if same else None


def _fastest(request: EngineRequest) -> BasePredictor:
    """The fastest of torch and the engines that agree with it; stores the choice."""
    detector = request.detector().to(request.device)
    predictors: dict[str, BasePredictor] = {TORCH: detector, **dict(_able(request))}
    seconds = time_engines(predictors)
    best = min(seconds, key=lambda name: seconds[name])
    predictor = predictors[best]
    log.info(
        "%s runs on %s: %s",
        detector.name,
        best,
        ", ".join(f"{name} {1000 * second:.1f} ms" for name, second in seconds.items()),
    )
    key = agreement_key(predictor) if isinstance(predictor, Engine) else TORCH
    facts = {"engine": best, "key": key, "candidates": _candidates(), "seconds": seconds}
    try:
        write_file(_file(request), json.dumps(facts, indent=2))
    except OSError as error:
        log.warning("The fastest engine can't be remembered: %s", error.strerror)
    return predictor


def _able(request: EngineRequest) -> Iterator[tuple[str, BasePredictor]]:
    """The installed engines that agree with torch, by name."""
    for name in _candidates():
        try:
            yield name, request.with_engine(name).build()
        except MissingExtra:
            continue
        except (ExportError, UsageError) as error:  # UsageError: not on that device
            log.warning("The engine %s is left out: %s", name, error.case)


def time_engines(predictors: dict[str, BasePredictor]) -> dict[str, float]:
    """Seconds per image of each predictor: the minimum of several rounds in turn, after a
    warm-up."""
    image = scenes()[0]
    best = dict.fromkeys(predictors, float("inf"))
    for turn in range(ROUNDS + 1):
        for name, predictor in predictors.items():
            begin = perf_counter()
            predictor.predict([image], predictor.defaults)
            if turn:
                best[name] = min(best[name], perf_counter() - begin)
    return best


def _file(request: EngineRequest) -> Any:
    """The file that stores the choice for a device type."""
    return home() / "engines" / key_of(request, AUTO) / f"auto-{request.device.type}.json"
