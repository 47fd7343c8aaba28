"""What hostile tests begin with: whole predictions to damage, and a Hub on this machine to
misbehave."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from zoo.evaluate import Predictions
from zoo.testing import LoopbackHub


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
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A running Hub that `hub:` sources go to, with none of the user's settings."""
    for name in ("ZOO_BUNDLE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    with LoopbackHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running
