"""Which images are seen when: the same for any number of workers, processes and parts."""

import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.train.conftest import made
from zoo.data import Dataset
from zoo.errors import ImageError
from zoo.testing.toy import Stretch
from zoo.train.recipe import Color, CopyPaste, Crop, Flip, Mixup, Mosaic, MultiScale, Recipe, Zoom
from zoo.train.samples import MicroBatch, Samples, micro_batches, scaled, spans_of, workers_of

EVERY = (Mosaic(), Flip(), Zoom(), Crop(), Color(), Mixup())


def samples_of(dataset: Dataset, **fields: object) -> Samples:
    recipe = Recipe(**{"augment": EVERY, "batch_size": 5, "workers": 0, **fields})  # type: ignore[arg-type]
    return Samples(dataset, torch.arange(2), Stretch((64, 64)), recipe, steps=6)


def tensors(found: Sequence[MicroBatch]) -> list[Tensor]:
    return [
        part
        for micro_batch in found
        for part in (micro_batch.batch.pixels, *(target.boxes for target in micro_batch.targets))
    ]


def all_micro_batches(samples: Samples) -> list[MicroBatch]:
    return [each for _, group in micro_batches(samples) for each in group]


def equal(one: Sequence[MicroBatch], other: Sequence[MicroBatch]) -> bool:
    pairs = zip(tensors(one), tensors(other), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_sees_the_same_images(blocks: Dataset, workers: int) -> None:
    alone = all_micro_batches(samples_of(blocks))
    many = all_micro_batches(samples_of(blocks, workers=workers))
    assert equal(alone, many)


def test_processes_and_parts_see_together_what_one_sees(blocks: Dataset) -> None:
    alone = samples_of(blocks)
    for step in range(6):
        [whole] = spans_of(step, alone.recipe)
        recipe = Recipe(batch_size=5, accumulate=2)
        split = [part for rank in (0, 1) for part in spans_of(step, recipe, rank=rank, processes=2)]
        assert [place for part in split for place in part.positions] == list(whole.positions)
        assert sum(part.weight for part in split) == pytest.approx(2)  # gradients are averaged


def test_a_run_goes_on_at_any_step_as_if_it_had_not_stopped(blocks: Dataset) -> None:
    whole = dict(micro_batches(samples_of(blocks)))
    late = dict(micro_batches(samples_of(blocks), start=4))
    assert list(late) == [4, 5]
    assert all(equal(late[step], whole[step]) for step in late)


def test_an_epoch_sees_each_image_once_and_the_next_in_another_order(blocks: Dataset) -> None:
    samples = samples_of(blocks)
    places = [samples.epoch_and_row(position) for position in range(24)]
    assert Counter(places) == Counter((epoch, row) for epoch in (0, 1) for row in range(12))
    assert [row for _, row in places[:12]] != [row for _, row in places[12:]]


def test_other_epochs_and_seeds_see_other_images(blocks: Dataset) -> None:
    first, again = samples_of(blocks), samples_of(blocks, seed=1)
    row = first.epoch_and_row(0)[1]
    later = next(position for position in range(12, 24) if first.epoch_and_row(position)[1] == row)
    assert not torch.equal(first[0][0], first[later][0])
    assert not torch.equal(first[0][0], again[0][0])


def test_images_do_not_depend_on_torchs_random_numbers(blocks: Dataset) -> None:
    samples = samples_of(blocks)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = all_micro_batches(samples)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert equal(one, all_micro_batches(samples))


def test_the_last_steps_are_not_mixed_and_of_one_size(blocks: Dataset) -> None:
    scale = MultiScale(factors=(0.5, 1.5), every=1)
    samples = samples_of(
        blocks, augment=(Mosaic(probability=1),), plain_share=0.5, multi_scale=scale
    )
    sizes = [parts[0].batch.pixels.shape[2:] for _, parts in micro_batches(samples)]
    assert samples.plain_from == 3
    assert sizes[3:] == [(64, 64)] * 3
    assert samples[0][0].shape[1:] == (64, 64)
    assert samples[29][0].shape[1:] != (64, 64)


def test_sizes_are_multiples_and_stay_for_some_steps() -> None:
    scale = MultiScale(factors=(0.5, 1.5), every=3)
    sizes = [scaled((64, 96), scale, 0, step) for step in range(300)]
    assert all(height % 32 == 0 and width % 32 == 0 for height, width in sizes)
    assert len(set(sizes)) > 2
    assert all(len(set(sizes[at : at + 3])) == 1 for at in range(0, 300, 3))


def test_crowds_and_classes_without_a_label_are_left_out(blocks: Dataset) -> None:
    samples = samples_of(blocks, augment=())
    lookup = torch.tensor([-1, 0])
    fewer = Samples(blocks, lookup, Stretch((64, 64)), samples.recipe, steps=6)
    for row in range(12):
        truth = blocks.target(row)
        assert len(samples.load(row).labels) == len(truth.labels)
        assert len(fewer.load(row).labels) == int((truth.labels == 1).sum())
        assert set(fewer.load(row).labels.tolist()) <= {0}


def test_masks_are_loaded_where_objects_are_pasted(blocks: Dataset) -> None:
    assert samples_of(blocks).load(3).masks is None
    pasting = samples_of(blocks, augment=(CopyPaste(),))
    masks = pasting.load(3).masks
    assert masks is not None
    assert masks.shape == (len(blocks.target(3).labels), *blocks.image(3).size)


def test_samples_can_be_pickled(blocks: Dataset) -> None:
    samples = samples_of(blocks)
    copy = pickle.loads(pickle.dumps(samples))
    assert torch.equal(copy[3][0], samples[3][0])


def test_a_micro_batch_moves_its_batch_and_keeps_its_targets(blocks: Dataset) -> None:
    _, [micro_batch] = next(micro_batches(samples_of(blocks)))
    moved = micro_batch.to(torch.device("meta"), channels_last=True)
    assert moved.batch.pixels.is_contiguous(memory_format=torch.channels_last)
    assert moved.batch.pixels.device.type == "meta"
    assert moved.targets == micro_batch.targets


def test_a_number_of_workers_that_is_given_stays() -> None:
    assert workers_of(Recipe(workers=3), device="cuda", processes=1) == 3
    assert workers_of(Recipe(), device="cuda", processes=1) >= 1


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_can_not_be_read_is_named_whoever_reads_it(
    tmp_path: Path, workers: int
) -> None:
    broken = made(tmp_path / "data", images=4)
    for path in (tmp_path / "data" / "images").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(ImageError) as raised:
        list(micro_batches(samples_of(broken, augment=(), workers=workers)))
    assert "Traceback" not in str(raised.value)
    assert str(raised.value.file).endswith(".png")
    assert str(raised.value.file) in str(raised.value)
