"""Decides which image a run sees when, and makes micro-batches of augmented images.

Images come as one endless sequence of positions. Position p is an image of epoch `p // images`,
each epoch in an order of its own, and step s takes the positions from `s * batch_size` on. So a run
can go on at any step as if it had never stopped, and every batch is full.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from zoo.contract import Batch, Preprocess, Target
from zoo.data import Dataset
from zoo.detectors.preprocess import CardPreprocess
from zoo.environment import cores
from zoo.errors import ZooError
from zoo.files import read_regular
from zoo.images.jpeg import plain_jpeg
from zoo.train.augment import Context, augment, draw_of
from zoo.train.recent import Recent
from zoo.train.recipe import MIXING, CopyPaste, MultiScale, Recipe
from zoo.train.sample import Sample, clipped

# How many images before each one mosaic and mixup choose from.
NEARBY_IMAGES = 64
MAX_WORKERS = 8
# With this number of cores or fewer, workers would only take time from the network.
FEW_CORES = 4


@dataclass(frozen=True)
class MicroBatchSpan:
    """The positions of a micro-batch, and its step.

    weight: of the mean over the micro-batch, so that gradients become those of the batch's mean.
    """

    step: int
    positions: range
    weight: float


@dataclass(frozen=True)
class MicroBatch:
    """The images that a process computes at once.

    targets: in pixels of the augmented images.
    """

    span: MicroBatchSpan
    batch: Batch
    targets: tuple[Target, ...]

    def to(self, device: torch.device, *, channels_last: bool = False) -> MicroBatch:
        """The micro-batch with its batch on another device; `loss` moves the targets."""
        batch = self.batch.to(device)
        if channels_last:
            pixels = batch.pixels.contiguous(memory_format=torch.channels_last)
            batch = replace(batch, pixels=pixels)
        return replace(self, batch=batch)


@dataclass(frozen=True)
class Samples(TorchDataset[tuple[Tensor, Target]]):
    """Augmented images `(3, height, width)` and their targets, by position; can be pickled.

    lookup:     `(classes of the data set,)` the model's label of each, -1 for none.
    preprocess: of the model, at its own size.
    steps:      of the whole run.
    """

    dataset: Dataset
    lookup: Tensor
    preprocess: Preprocess
    recipe: Recipe
    steps: int

    def __len__(self) -> int:
        return self.steps * self.recipe.batch_size

    def __getitem__(self, position: int) -> tuple[Tensor, Target]:
        epoch, row = self.epoch_and_row(position)
        draw = draw_of(self.recipe.seed, epoch, self.dataset.images[row].id)
        plain = position // self.recipe.batch_size >= self.plain_from
        steps = [step for step in self.recipe.augment if not (plain and isinstance(step, MIXING))]
        context = self._context(position)
        sample = augment(self.load(row), steps, draw, context)
        return sample.image, Target(sample.boxes, sample.labels)

    def epoch_and_row(self, position: int) -> tuple[int, int]:
        """The epoch of a position, and the row of its image."""
        epoch, within = divmod(position, len(self.dataset))
        return epoch, int(_order(self.recipe.seed, epoch, len(self.dataset))[within])

    def position(self, epoch: int, row: int) -> int:
        """The position at which an image is seen in an epoch."""
        order = _order(self.recipe.seed, epoch, len(self.dataset))
        return epoch * len(self.dataset) + int((order == row).nonzero())

    def load(self, row: int) -> Sample:
        """An image before augmentation, without crowds and objects of classes that the model lacks.

        It is cached: don't write into its tensors.
        """
        return self._recent.get(row, self._read)

    @cached_property
    def _recent(self) -> Recent:
        return Recent()

    def _read(self, row: int) -> Sample:
        image = self._pixels(row)
        height, width = image.shape[-2:]
        target = self.dataset.target(row, mask_size=(height, width) if self._masked else None)
        labels = self.lookup[target.labels]
        is_learned = labels >= 0
        if target.crowd is not None:
            is_learned &= ~target.crowd
        masks = None if target.masks is None else target.masks[is_learned]
        return clipped(Sample(image, target.boxes[is_learned], labels[is_learned], masks))

    def _pixels(self, row: int) -> Tensor:
        """The pixels of an image, uint8 RGB `(3, h, w)`. Raises: as `Dataset.image`."""
        with suppress(OSError, ValueError):  # `Dataset.image` raises an error with the file's name
            source = self.dataset.images[row].source()
            content = source if isinstance(source, bytes) else read_regular(source)
            if (pixels := plain_jpeg(content)) is not None:
                return pixels
        return self.dataset.image(row).pixels

    @property
    def plain_from(self) -> int:
        """The step from which images are not mixed any more, and all inputs have one size."""
        return math.ceil(self.steps * (1 - self.recipe.plain_share))

    @cached_property
    def _masked(self) -> bool:
        return any(isinstance(step, CopyPaste) for step in self.recipe.augment)

    def size_at(self, step: int) -> tuple[int, int]:
        """The `size` of the model's input at a step."""
        scale = None if step >= self.plain_from else self.recipe.multi_scale
        return scaled(self.preprocess.size, scale, self.recipe.seed, step)

    def near(self, position: int, number: int) -> Sample:
        """One of the images seen just before a position; they may still be cached."""
        return self.load(self.epoch_and_row(position - 1 - number)[1])

    def _context(self, position: int) -> Context:
        """Other images for augmentation, and the network's input size at that step."""
        height, width = self.preprocess.size
        rule = self.preprocess.at(self.size_at(position // self.recipe.batch_size))
        return Context(
            load=partial(self.near, position),
            rows=min(NEARBY_IMAGES, len(self.dataset)),
            size=(height, width),
            fit=rule.fit if isinstance(rule, CardPreprocess) else None,
        )

    def micro_batch(self, span: MicroBatchSpan) -> MicroBatch:
        """The images of a span, in the network's input of its step."""
        images, targets = zip(*map(self.__getitem__, span.positions), strict=True)
        return MicroBatch(span, self.preprocess.at(self.size_at(span.step))(images), targets)


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, images: int) -> Tensor:
    generator = torch.Generator().manual_seed(draw_of(seed, epoch, "order").getrandbits(63))
    return torch.randperm(images, generator=generator)


def scaled(
    size: tuple[int, int], scale: MultiScale | None, seed: int, step: int
) -> tuple[int, int]:
    """The size of the network's input at a step."""
    if scale is None:
        return size
    factor = draw_of(seed, step // scale.every, "size").uniform(*scale.factors)
    height, width = (max(1, round(side * factor / scale.multiple)) for side in size)
    return height * scale.multiple, width * scale.multiple


def spans_of(
    step: int, recipe: Recipe, *, rank: int = 0, processes: int = 1
) -> list[MicroBatchSpan]:
    """The micro-batches of one process in a step, of sizes that differ by at most one.

    Their weights sum to a mean over the whole batch once gradients are averaged over processes.
    """
    size, count = recipe.batch_size, processes * recipe.accumulate
    edges = [step * size + size * number // count for number in range(count + 1)]
    first = rank * recipe.accumulate
    spans = [
        range(edges[number], edges[number + 1])
        for number in range(first, first + recipe.accumulate)
    ]
    return [MicroBatchSpan(step, span, len(span) / size * processes) for span in spans]


class _MicroBatches:
    """Indexes micro-batches by spans, for workers.

    Errors that name a file are returned: torch would replace one that is raised in a worker by
    another, with the traceback as its message.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __getitem__(self, span: MicroBatchSpan) -> MicroBatch | ZooError:
        try:
            return self.samples.micro_batch(span)
        except ZooError as error:
            return error


def micro_batches(
    samples: Samples, start: int = 0, rank: int = 0, processes: int = 1, *, device: str = "cpu"
) -> Iterator[tuple[int, list[MicroBatch]]]:
    """Yields each step from `start` on, with the micro-batches of this process.

    Raises: ImageError, DataError for an image that can't be used, also from workers.
    """
    recipe = samples.recipe
    spans = (
        span
        for step in range(start, samples.steps)
        for span in spans_of(step, recipe, rank=rank, processes=processes)
    )
    workers = workers_of(recipe, device=device, processes=processes)
    loader: Any = DataLoader(
        _MicroBatches(samples),  # type: ignore[arg-type]  # indexed by spans, not whole numbers
        batch_size=None,
        sampler=spans,
        num_workers=workers,
        generator=torch.Generator(),  # its own, or making it would move torch's random numbers
        prefetch_factor=4 if workers else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
        ready = iter(loader)
    for step in range(start, samples.steps):
        yield step, [_raise_if_error(next(ready)) for _ in range(recipe.accumulate)]


def _raise_if_error(loaded: MicroBatch | ZooError) -> MicroBatch:
    if isinstance(loaded, ZooError):
        raise loaded
    return loaded


def workers_of(recipe: Recipe, *, device: str, processes: int) -> int:
    """How many worker processes read and augment images for each process that trains."""
    if recipe.workers is not None:
        return recipe.workers
    if device == "cpu" and cores() <= FEW_CORES:
        return 0
    return min(MAX_WORKERS, max(1, cores() // processes - 1))
