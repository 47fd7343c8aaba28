"""The predictors of a server by name, each with the threads that run it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

import PIL.Image

from zoo.contract.predictor import HashedFile
from zoo.contract.protocol import Protocol
from zoo.detections.convert.json import object_of
from zoo.errors import NameNotFound, UsageError
from zoo.images import read
from zoo.inference.runner import optional_members
from zoo.serve.batcher import Batcher
from zoo.serve.metrics import Metrics
from zoo.serve.options import SCORE, Options
from zoo.suggest import close_matches, join_or

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

WARM_UP_SIZE = (480, 640)  # height and width of the images on which a model runs at the start
WARM_UP_SECONDS = 600.0


class Served:
    """One predictor with its name, its facts and its batcher."""

    def __init__(self, predictor: Predictor, options: Options, metrics: Metrics) -> None:
        self.name = predictor.name or type(predictor).__name__
        optional = optional_members(predictor)
        file = optional.weights
        self.weights_sha256 = file.sha256 if isinstance(file, HashedFile) else None
        self._predictor = predictor
        self.batcher = Batcher(
            predictor,
            max_batch=options.max_batch,
            max_wait=options.max_wait_ms / 1000,
            threads=optional.calls_at_once,
            on_batch=lambda images, seconds: metrics.batch(self.name, images, seconds),
        )
        waiting = "Images in line for a batch."
        metrics.watch("zoo_waiting_images", waiting, lambda: self.batcher.waiting, self.name)

    def warm(self) -> None:
        """Reads a gray JPEG and runs it, with every box that there is, and a full batch, so that no
        request pays for what is made or imported once.

        Raises: what the predictor raises.
        """
        image = read(_gray_jpeg(), name="a gray image")
        every_box = Protocol(score=0.0)  # else the code that is only for boxes would not run
        outcome = self.batcher.submit(image, every_box).result(timeout=WARM_UP_SECONDS)
        object_of(outcome.detections, model=self.name, weights_sha256=self.weights_sha256)
        protocol = Protocol(score=SCORE)
        with self.batcher.announce():
            count = self.batcher.full_batch(image, protocol)
            futures = [self.batcher.submit(image, protocol) for _ in range(count)]
        for future in futures:
            future.result(timeout=WARM_UP_SECONDS)

    def facts(self, *, default: bool) -> dict[str, Any]:
        """Its entry in `/v1/models`."""
        limits = self._predictor.defaults
        return {
            "name": self.name,
            "default": default,
            "classes": list(self._predictor.label_space.names),
            "weights_sha256": self.weights_sha256,
            "thresholds": {
                "score": SCORE,
                "iou": limits.iou,
                "max_boxes": limits.max_boxes,
            },
        }


def _gray_jpeg() -> bytes:
    """A gray image as a client would send it."""
    file = io.BytesIO()
    height, width = WARM_UP_SIZE
    PIL.Image.new("RGB", (width, height), (128, 128, 128)).save(file, "JPEG")
    return file.getvalue()


class Models:
    """All models of a server; the first is the default.

    Raises: UsageError if there is none, or if two have the same name.
    """

    def __init__(self, predictors: Sequence[Predictor], options: Options, metrics: Metrics) -> None:
        names = [predictor.name or type(predictor).__name__ for predictor in predictors]
        if not names:
            raise UsageError("No model can be served.", "None was named.", "zoo serve yolox_pico")
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            case = f"Two are called '{repeated[0]}', and a request could not choose between them."
            raise UsageError("The models can't be served together.", case, "Name each once.")
        self._served = {
            name: Served(predictor, options, metrics)
            for name, predictor in zip(names, predictors, strict=True)
        }

    def __iter__(self) -> Iterator[Served]:
        return iter(self._served.values())

    def find(self, name: str | None) -> Served:
        """The model of that name, whose tag may be left out if that is unambiguous; None is the
        default. Raises: NameNotFound."""
        if name is None:
            return next(iter(self))
        bare = [served for served in self if served.name.partition(".")[0] == name]
        if name not in self._served and len(bare) == 1:
            return bare[0]
        if name not in self._served:
            names = ", ".join(self._served)
            alike = close_matches(name, self._served)
            fix = f"Did you mean {join_or(alike)}?" if alike else "GET /v1/models lists them."
            raise NameNotFound(f"No model '{name:.100}' is served.", f"There is {names}.", fix)
        return self._served[name]

    def facts(self) -> list[dict[str, Any]]:
        """The entries of all models in `/v1/models`."""
        return [served.facts(default=index == 0) for index, served in enumerate(self)]

    def is_stuck(self, seconds: float) -> bool:
        """Whether a model's thread has ended, or has been running one batch for longer than
        that."""
        return any(
            not served.batcher.is_alive or served.batcher.busy_seconds > seconds for served in self
        )

    def close(self, *, seconds: float) -> bool:
        """Finishes the images in line. Returns whether all were finished in time."""
        until = monotonic() + seconds
        return all([served.batcher.close(seconds=max(0.0, until - monotonic())) for served in self])
