"""The loop: when it validates, keeps and ends, and that it stops at what is not a number."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from zoo.contract import Batch, Target
from zoo.data import Dataset
from zoo.errors import TrainError
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.loop import Clock, is_checkpoint_due, is_over
from zoo.train.recipe import Recipe
from zoo.train.train import train
from zoo.train.training import Progress


class Sick(Toy):
    """Its loss is not a number from the fourth step on."""

    steps = 0

    def loss(self, outputs: Tensor, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The losses of Toy, one of them spoiled."""
        parts = super().loss(outputs, batch, targets)
        self.steps += 1
        return {**parts, "kind": parts["kind"] * (float("nan") if self.steps > 3 else 1.0)}


def test_a_run_stops_at_a_loss_that_is_not_a_number(blocks: Dataset, tmp_path: Path) -> None:
    recipe: dict[str, Any] = {"steps": 9, "batch_size": 2, "checkpoint_every": 1}
    with pytest.raises(TrainError, match=r"Step 3 gave no number(.|\n)*kind nan"):
        train(
            Sick(space_of(["dark", "bright"])),
            data=blocks,
            recipe=recipe,
            to=tmp_path,
            device="cpu",
            progress=False,
        )
    assert (tmp_path / "not-a-number" / "batch.json").exists()
    steps = sorted(path.name[:13] for path in (tmp_path / "checkpoints").iterdir())
    assert steps == ["step-00000002", "step-00000003"]  # none has a weight that is no number


def test_a_run_is_over_at_its_last_step_or_when_its_patience_is() -> None:
    assert not is_over(Recipe(), Progress(step=9, stale=100), 10)
    assert is_over(Recipe(), Progress(step=10), 10)
    assert not is_over(Recipe(patience=3), Progress(step=5, stale=2), 10)
    assert is_over(Recipe(patience=3), Progress(step=5, stale=3), 10)


def test_checkpoints_are_due_by_steps_or_by_time() -> None:
    assert is_checkpoint_due(Recipe(), 1, 61.0)
    assert not is_checkpoint_due(Recipe(), 1, 59.0)
    assert is_checkpoint_due(Recipe(checkpoint_every=5), 10, 0.0)
    assert not is_checkpoint_due(Recipe(checkpoint_every=5), 11, 1e9)


def test_a_clock_counts_images_a_second_and_begins_again_when_read() -> None:
    clock = Clock()
    clock.stop_waiting()
    seconds = clock.end_step()
    speeds = clock.speeds(8)
    assert speeds["images_per_second"] == pytest.approx(8 / seconds)
    assert 0 <= speeds["waiting"] <= 1
    assert clock.speeds(8)["images_per_second"] == 0
