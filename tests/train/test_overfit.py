"""The check before a long run: what can be learned passes, what can't stops with a reason."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from zoo.contract import Batch, Target
from zoo.data import Dataset
from zoo.errors import TrainError
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.overfit import check_one_batch
from zoo.train.recipe import Recipe
from zoo.train.samples import Samples

SPACE = space_of(["dark", "bright"])


class Deaf(Toy):
    """Its loss does not depend on its weights."""

    def loss(self, outputs: Tensor, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The losses of Toy, without gradients that say anything."""
        parts = super().loss(outputs, batch, targets)
        return {name: part.detach() + 0 * outputs.sum() for name, part in parts.items()}


def samples_of(data: Dataset, model: Toy, **fields: Any) -> Samples:
    recipe = Recipe(batch_size=4, **fields)
    return Samples(data, torch.arange(2), model.preprocess, recipe, steps=1000)


def test_a_detector_that_learns_passes_and_is_not_changed(blocks: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Toy(SPACE)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, last = check_one_batch(model, samples_of(blocks, model), tmp_path)
    assert last < first
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert list(tmp_path.iterdir()) == []


def test_one_that_does_not_stops_with_its_losses_and_its_images(
    blocks: Dataset, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = Deaf(SPACE)
    model.drop.p = 0.0
    with pytest.raises(TrainError) as raised:
        check_one_batch(model, samples_of(blocks, model), tmp_path)
    assert "The loss of one batch of 4 images went from" in raised.value.case
    assert "kind" in raised.value.case
    assert "overfit_check=false" in raised.value.fix
    assert len(list((tmp_path / "overfit").glob("*.jpg"))) == 4
