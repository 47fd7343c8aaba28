"""A file of predictions to damage, and Ctrl-C in the middle of a run."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

import zoo
from tests.evaluate.predictions.nano_run import Interrupt
from zoo.evaluate import Predictions


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[int], Path]:
    """`stored(images)`: the file of predictions for so many images, all in order, up to six boxes
    in each."""

    def write(images: int) -> Path:
        counts = np.arange(images) % 7
        total = int(counts.sum())
        random = np.random.default_rng(0)
        corners = np.sort(random.uniform(0, 500, (total, 2, 2)).astype(np.float32), axis=1)
        path = tmp_path / "seen.parquet"
        Predictions(
            image_ids=np.arange(images),
            files=np.array([f"{number}.jpg" for number in range(images)]),
            sizes=np.full((images, 2), 500, np.int32),
            starts=np.concatenate([[0], np.cumsum(counts)]),
            boxes=corners.reshape(total, 4),
            scores=random.uniform(0, 1, total).astype(np.float32),
            labels=random.integers(0, 3, total).astype(np.int32),
            names=("red", "green", "blue"),
            provenance={"model": "lamps"},
        ).write(path)
        return path

    return write


@pytest.fixture
def interrupt() -> Interrupt:
    """Presses Ctrl-C when a whole detector has done so many forward passes of one image."""

    @contextlib.contextmanager
    def after(passes: int) -> Iterator[list[str]]:
        left = [passes]

        def count(module: torch.nn.Module, _: Any) -> None:
            if isinstance(module, zoo.Detector):
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1

        hook = register_module_forward_pre_hook(count)
        notes: list[str] = []
        try:
            with pytest.raises(KeyboardInterrupt) as raised:
                yield notes
            notes += getattr(raised.value, "__notes__", [])
        finally:
            hook.remove()

    return after
