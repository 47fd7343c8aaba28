"""The check before a long run: what can be learned passes, what can't stops with a reason."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zoo.contract import Batch, Target, Thresholds
from zoo.data import Dataset
from zoo.detections import Detections
from zoo.errors import TrainError
from zoo.labels import LabelSpace
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


class Memory(Toy):
    """Learns images by heart: each of its numbers depends on every pixel."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.whole = nn.Linear(3 * 32 * 32, (4 + len(label_space)) * 16)

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        """The maps of Toy, from all pixels at once."""
        maps: Tensor = self.whole(batch.pixels.flatten(1)).view(len(batch.pixels), -1, 4, 4)
        return maps + 0 * super().forward(batch, targets)


class OtherIds(Memory):
    """Its decode numbers the classes from 1."""

    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """Those of Toy, each of the class after it."""
        outputs = torch.cat([outputs[:, :4], outputs[:, 4:].roll(1, dims=1)], 1)
        return super().decode(outputs, batch, thresholds)


class OtherFrame(Memory):
    """Its decode forgets that images were stretched."""

    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """Those of Toy, in pixels of a far larger image."""
        places = [replace(place, scale_x=4.0, scale_y=4.0) for place in batch.transforms]
        return super().decode(outputs, replace(batch, transforms=tuple(places)), thresholds)


class Silent(Toy):
    """Its decode drops everything."""

    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """Nothing, whatever was learned."""
        return [each[:0] for each in super().decode(outputs, batch, thresholds)]


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


def test_one_that_learns_by_heart_has_its_detections_compared_and_passes(
    blocks: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    model = Memory(SPACE)
    check_one_batch(model, samples_of(blocks, model), tmp_path)
    assert caplog.text == ""
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


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [(OtherIds, "number the classes differently"), (OtherFrame, "mean different boxes")],
)
def test_one_whose_loss_falls_but_whose_detections_do_not_match_stops(
    blocks: Dataset, tmp_path: Path, kind: type[Toy], meaning: str
) -> None:
    torch.manual_seed(0)
    model = kind(SPACE)
    model.drop.p = 0.0
    with pytest.raises(TrainError) as raised:
        check_one_batch(model, samples_of(blocks, model), tmp_path)
    assert "its detections don't match" in raised.value.failure
    assert "fell from" in raised.value.case
    assert meaning in raised.value.case
    assert "overfit_check=false" in raised.value.fix
    assert len(list((tmp_path / "overfit").glob("*.jpg"))) == 4


def test_one_that_has_not_learned_enough_to_tell_goes_on_with_a_warning(
    blocks: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    model = Silent(SPACE)
    check_one_batch(model, samples_of(blocks, model), tmp_path)
    assert "too few to tell" in caplog.text
    assert list(tmp_path.iterdir()) == []
