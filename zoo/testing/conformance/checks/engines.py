"""An engine that was named computes what torch does, whoever registered it: in images of any shape,
alone and in batches, and from several threads."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from zoo.contract import Predictor
from zoo.detections import Detections
from zoo.testing.conformance.errors import ConformanceError, NotHere, require
from zoo.testing.conformance.images import scene
from zoo.testing.conformance.model import Model

COUNTS = (1, 2, 3, 5)
SIZES = ((240, 320), (320, 240), (96, 320), (480, 640))
SCORE, PIXELS = 1e-3, 0.5
FLOOR = 0.05
THREADS = 4


def check_engine_says_what_it_is(model: Model) -> None:
    """The engine that was named has the model's name, classes, thresholds and input size, and says
    what it is and its version."""
    engine, detector = model.computed, model.trained
    for name in ("name", "label_space", "defaults"):
        ours, theirs = getattr(detector, name), getattr(engine, name, None)
        require(ours == theirs, f"Its {name} is {theirs}, and the model's {ours}.")
    for height, width in SIZES:
        ours, theirs = (each.input_size(height, width) for each in (detector, engine))
        require(
            tuple(ours) == tuple(theirs),
            f"Its input for {width} x {height} pixels is {theirs}, and the model's {ours}.",
        )
    require(bool(getattr(engine, "engine", "")), "It does not say what engine it is.")
    require(bool(getattr(engine, "version", "")), "It does not say its version.")


def check_engine_agrees_with_torch(model: Model) -> None:
    """The engine that was named finds what torch finds, in images of several shapes.

    Tolerance: 0.001 of a score and half a pixel, for detections that score 0.05 or more, or half
    of the most that torch gives where that is less.
    """
    floor = _floor(model)
    images = [scene(*size, seed=number) for number, size in enumerate(SIZES)]
    for image in images:
        [ours], [theirs] = (
            _found(each, [image], floor) for each in (model.trained, model.computed)
        )
        where = f"In an image of {image.shape[2]} x {image.shape[1]} pixels"
        _check_same(theirs, ours, floor, f"{where} it finds what torch does not")
        _check_same(ours, theirs, floor, f"{where} it does not find what torch does")


def check_engine_takes_any_batch(model: Model) -> None:
    """The engine that was named finds in each of one, two, three and five images what it finds in
    the image alone; the tolerance is that for torch."""
    floor = _floor(model)
    images = [scene(*SIZES[0], seed=number) for number in range(max(COUNTS))]
    alone = [_found(model.computed, [image], floor)[0] for image in images]
    for count in COUNTS:
        together = _found(model.computed, images[:count], floor)
        require(len(together) == count, f"Of {count} images at once it answers {len(together)}.")
        for number, (batched, single) in enumerate(zip(together, alone, strict=False)):
            where = f"In image {number} of {count} at once"
            _check_same(batched, single, floor, f"{where} it finds what it does not find alone")
            _check_same(single, batched, floor, f"{where} it does not find what it finds alone")


def check_engine_serves_threads(model: Model) -> None:
    """Four threads that share the engine that was named find what one after the other finds."""
    engine, floor = model.computed, _floor(model)
    images = [scene(*SIZES[0], seed=number) for number in range(THREADS)]
    alone = [_found(engine, [image], floor)[0] for image in images]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda image: _found(engine, [image], floor)[0], images))
    for shared, single in zip(together, alone, strict=True):
        _check_same(
            shared, single, floor, "With other threads it finds what it does not find alone"
        )
        _check_same(
            single, shared, floor, "With other threads it does not find what it finds alone"
        )


def check_engine_closes(model: Model) -> None:
    """The engine that was named works after it was told to release what it holds. Once nobody has
    it any more, it is gone, and so are the threads that it started."""
    before = set(threading.enumerate())
    engine = model.compute()
    _found(engine, [scene(*SIZES[0])])
    if hasattr(engine, "release"):
        engine.release()
    _found(engine, [scene(*SIZES[0])])
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    require(gone() is None, "Something holds it after the last use: its memory is never free.")
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    require(not left, f"It leaves threads behind: {', '.join(left)}.")


@lru_cache(maxsize=1)
def _floor(model: Model) -> float:
    """The least score of what is compared. Raises: NotHere where torch finds nothing at all."""
    images = [scene(*size, seed=number) for number, size in enumerate(SIZES)]
    scores = [each.scores for image in images for each in _found(model.trained, [image], 0.0)]
    most = float(torch.cat(scores).max()) if any(map(len, scores)) else 0.0
    if most == 0:
        raise NotHere("In torch it finds nothing in the scenes, so that nothing can be compared.")
    return min(FLOOR, most / 2)


def _found(predictor: Predictor, images: list[Tensor], floor: float = FLOOR) -> list[Detections]:
    floor = min(floor, predictor.defaults.score)
    with torch.inference_mode():
        return list(predictor.predict(images, replace(predictor.defaults, score=floor)))


def _check_same(some: Detections, others: Detections, floor: float, what: str) -> None:
    """Raises: ConformanceError with the first of some that has no like among others."""
    for row in (some.scores >= floor + min(SCORE, floor / 2)).nonzero().flatten().tolist():
        same = others.labels == some.labels[row]
        near = (others.boxes - some.boxes[row]).abs().amax(dim=1) <= PIXELS
        alike = (others.scores - some.scores[row]).abs() <= SCORE
        if not bool((same & near & alike).any()):
            box = [round(edge, 1) for edge in some.boxes[row].tolist()]
            raise ConformanceError(
                f"{what}: '{some.class_names[row]}' at {box}, score {float(some.scores[row]):.4f}."
            )
