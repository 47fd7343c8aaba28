"""Checks that a named engine computes the same as torch, whatever plugin registered it: in images
of any shape, alone and in batches, and from several threads."""

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

BATCH_SIZES = (1, 2, 3, 5)
SIZES = ((240, 320), (320, 240), (96, 320), (480, 640))
SCORE_TOLERANCE, BOX_TOLERANCE = 1e-3, 0.5
SCORE_FLOOR = 0.05
THREADS = 4


def check_engine_says_what_it_is(model: Model) -> None:
    """The engine has the model's name, classes, thresholds and input size, and its own name and
    version."""
    engine, detector = model.loaded_engine, model.trained_detector
    for name in ("name", "label_space", "defaults"):
        ours, theirs = getattr(detector, name), getattr(engine, name, None)
        require(ours == theirs, f"Its {name} is {theirs}, the model's is {ours}.")
    for height, width in SIZES:
        ours, theirs = (each.input_size(height, width) for each in (detector, engine))
        require(
            tuple(ours) == tuple(theirs),
            f"Its input for {width} x {height} pixels is {theirs}, the model's is {ours}.",
        )
    require(bool(getattr(engine, "engine", "")), "It does not say what engine it is.")
    require(bool(getattr(engine, "version", "")), "It does not say its version.")


def check_engine_agrees_with_torch(model: Model) -> None:
    """The engine detects the same as torch, in images of several shapes.

    Tolerance: 0.001 of a score and half a pixel, for detections that score at least 0.05, or half
    of torch's best score if that is lower.
    """
    floor = _floor(model)
    images = [scene(*size, seed=number) for number, size in enumerate(SIZES)]
    for image in images:
        [ours], [theirs] = (
            _detect(each, [image], floor) for each in (model.trained_detector, model.loaded_engine)
        )
        where = f"In an image of {image.shape[2]} x {image.shape[1]} pixels"
        _check_same(theirs, ours, floor, f"{where} it finds what torch does not")
        _check_same(ours, theirs, floor, f"{where} it does not find what torch does")


def check_engine_takes_any_batch(model: Model) -> None:
    """In batches of one, two, three and five images the engine detects the same as in each image
    alone; tolerance as for torch."""
    floor = _floor(model)
    images = [scene(*SIZES[0], seed=number) for number in range(max(BATCH_SIZES))]
    alone = [_detect(model.loaded_engine, [image], floor)[0] for image in images]
    for count in BATCH_SIZES:
        together = _detect(model.loaded_engine, images[:count], floor)
        require(
            len(together) == count,
            f"For {count} images at once it returns {len(together)} results.",
        )
        for number, (batched, single) in enumerate(zip(together, alone, strict=False)):
            where = f"In image {number} of {count} at once"
            _check_same(batched, single, floor, f"{where} it finds what it does not find alone")
            _check_same(single, batched, floor, f"{where} it does not find what it finds alone")


def check_engine_serves_threads(model: Model) -> None:
    """Four threads that share the engine detect the same as one after the other; tolerance as for
    torch."""
    engine, floor = model.loaded_engine, _floor(model)
    images = [scene(*SIZES[0], seed=number) for number in range(THREADS)]
    alone = [_detect(engine, [image], floor)[0] for image in images]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda image: _detect(engine, [image], floor)[0], images))
    for shared, single in zip(together, alone, strict=True):
        _check_same(
            shared, single, floor, "With other threads it finds what it does not find alone"
        )
        _check_same(
            single, shared, floor, "With other threads it does not find what it finds alone"
        )


def check_engine_closes(model: Model) -> None:
    """The engine still works after `release`. Once the last reference to it is gone, it is freed,
    and the threads that it started have ended."""
    before = set(threading.enumerate())
    engine = model.load_engine()
    _detect(engine, [scene(*SIZES[0])])
    if hasattr(engine, "release"):
        engine.release()
    _detect(engine, [scene(*SIZES[0])])
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    require(gone() is None, "Something refers to it after its last use: its memory is not freed.")
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    require(not left, f"It leaves threads behind: {', '.join(left)}.")


@lru_cache(maxsize=1)
def _floor(model: Model) -> float:
    """The lowest score that is compared. Raises: NotHere if torch detects nothing at all."""
    images = [scene(*size, seed=number) for number, size in enumerate(SIZES)]
    scores = [
        each.scores for image in images for each in _detect(model.trained_detector, [image], 0.0)
    ]
    most = float(torch.cat(scores).max()) if any(map(len, scores)) else 0.0
    if most == 0:
        raise NotHere("In torch it detects nothing in the scenes, so nothing can be compared.")
    return min(SCORE_FLOOR, most / 2)


def _detect(
    predictor: Predictor, images: list[Tensor], floor: float = SCORE_FLOOR
) -> list[Detections]:
    floor = min(floor, predictor.defaults.score)
    with torch.inference_mode():
        return list(predictor.predict(images, replace(predictor.defaults, score=floor)))


def _check_same(some: Detections, others: Detections, floor: float, case: str) -> None:
    """Raises: ConformanceError with the first of `some` that has no partner in `others`."""
    for row in (
        (some.scores >= floor + min(SCORE_TOLERANCE, floor / 2)).nonzero().flatten().tolist()
    ):
        same = others.labels == some.labels[row]
        near = (others.boxes - some.boxes[row]).abs().amax(dim=1) <= BOX_TOLERANCE
        alike = (others.scores - some.scores[row]).abs() <= SCORE_TOLERANCE
        if not bool((same & near & alike).any()):
            box = [round(edge, 1) for edge in some.boxes[row].tolist()]
            raise ConformanceError(
                f"{case}: '{some.class_names[row]}' at {box}, score {float(some.scores[row]):.4f}."
            )
