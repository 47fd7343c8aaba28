"""The predictors of a server by name, each with the thread that runs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

import torch

from zoo.contract.protocol import Protocol
from zoo.errors import NameNotFound, UsageError
from zoo.images import Image
from zoo.serve.batcher import Batcher
from zoo.serve.metrics import Metrics
from zoo.serve.options import SCORE, Options
from zoo.suggest import close_matches, join_or

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

WARM = (480, 640)  # of the images that each model sees before the first request
SECONDS_TO_WARM = 600.0


class Served:
    """One predictor: its name, what is told of it, and its batcher."""

    def __init__(self, predictor: Predictor, options: Options, metrics: Metrics) -> None:
        self.name = predictor.name or type(predictor).__name__
        weights = getattr(predictor, "weights", None)
        self.weights_sha256: str | None = getattr(weights, "sha256", None)
        self._predictor = predictor
        self.batcher = Batcher(
            predictor,
            max_batch=options.max_batch,
            max_wait=options.max_wait_ms / 1000,
            threads=getattr(predictor, "calls_at_once", 1),
            ran=lambda images, seconds: metrics.batch(self.name, images, seconds),
        )
        waiting = "Images in line for a batch."
        metrics.watch("zoo_waiting_images", waiting, lambda: self.batcher.waiting, self.name)

    def warm(self) -> None:
        """Looks at one gray image, and at a full batch of them: what the first prediction, and the
        first of several images, take longer is not a request's.

        Raises: what the predictor raises.
        """
        image = Image(torch.full((3, *WARM), 128, dtype=torch.uint8), "a gray image")
        protocol = Protocol(score=SCORE)
        self.batcher.submit(image, protocol).result(timeout=SECONDS_TO_WARM)
        with self.batcher.announced():
            count = self.batcher.full_batch(image, protocol)
            futures = [self.batcher.submit(image, protocol) for _ in range(count)]
        for future in futures:
            future.result(timeout=SECONDS_TO_WARM)

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


class Models:
    """Every model that is served; the first is meant where none is named.

    Raises: UsageError where there is none, or where two have one name.
    """

    def __init__(self, predictors: Sequence[Predictor], options: Options, metrics: Metrics) -> None:
        names = [predictor.name or type(predictor).__name__ for predictor in predictors]
        if not names:
            raise UsageError("No model can be served.", "None was named.", "zoo serve yolox_pico")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            case = f"Two are called '{twice[0]}', so that no request could say which is meant."
            raise UsageError("The models can't be served together.", case, "Name each once.")
        self._served = {
            name: Served(predictor, options, metrics)
            for name, predictor in zip(names, predictors, strict=True)
        }

    def __iter__(self) -> Iterator[Served]:
        return iter(self._served.values())

    def named(self, name: str | None) -> Served:
        """The model of that name, which may lack its tag where only one is meant; or the default.
        Raises: NameNotFound."""
        if name is None:
            return next(iter(self))
        bare = [served for served in self if served.name.partition(".")[0] == name]
        if name not in self._served and len(bare) == 1:
            return bare[0]
        if name not in self._served:
            known = ", ".join(self._served)
            meant = close_matches(name, self._served)
            fix = f"Did you mean {join_or(meant)}?" if meant else "GET /v1/models lists them."
            raise NameNotFound(f"No model '{name:.100}' is served.", f"There is {known}.", fix)
        return self._served[name]

    def facts(self) -> list[dict[str, Any]]:
        """The entry of each."""
        return [served.facts(default=place == 0) for place, served in enumerate(self)]

    def is_stuck(self, seconds: float) -> bool:
        """Whether a model's thread has ended, or has been at one batch for longer than that."""
        return any(
            not served.batcher.is_alive or served.batcher.busy_seconds > seconds for served in self
        )

    def close(self, *, seconds: float) -> bool:
        """Finishes what is in line. Returns whether all of it was in time."""
        until = monotonic() + seconds
        return all([served.batcher.close(seconds=max(0.0, until - monotonic())) for served in self])
