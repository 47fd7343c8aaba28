"""Runs of YOLOX-Nano on the street, for the tests of runs."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zoo
from zoo.data import Dataset
from zoo.evaluate import Predictions, predict

Interrupt = Callable[[int], contextlib.AbstractContextManager[list[str]]]


PROTOCOL = zoo.Protocol(score=0.0, max_boxes=5)


def run(street: Dataset, nano: str, to: Path | None, **options: Any) -> Predictions:
    return predict(
        "yolox_nano",
        data=street,
        weights=nano,
        to=to,
        **{"protocol": PROTOCOL, "batch_size": 1} | options,
    )


def same(a: Predictions, b: Predictions) -> bool:
    columns = ("image_ids", "files", "sizes", "starts", "boxes", "scores", "labels")
    return all(getattr(a, column).tobytes() == getattr(b, column).tobytes() for column in columns)
