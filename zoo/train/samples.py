"""From a data set to shares of batches: which image is seen when, augmented, in the network's
input.

Images come as one endless sequence of positions. Position p is an image of epoch `p // images`,
each epoch in an order of its own, and step s takes the positions from `s * batch_size` on; so a run
goes on at any step as if it had never stopped, and each batch is whole.
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

NEAR = 64  # images before each, of which mosaic and mixup take their others
MOST_WORKERS = 8
SMALL_MACHINE = 4  # cores; on one with no more, workers only take time from the network


@dataclass(frozen=True)
class Part:
    """The positions of a share, and the step that they are of."""

    step: int
    positions: range
    weight: float


@dataclass(frozen=True)
class Share:
    """The images that a process computes at once.

    part: which they are. targets: in pixels of the augmented images.
    """

    part: Part
    batch: Batch
    targets: tuple[Target, ...]

    def to(self, device: torch.device, *, channels_last: bool = False) -> Share:
        """The share with its batch on another device; targets stay, as `loss` moves them."""
        batch = self.batch.to(device)
        if channels_last:
            pixels = batch.pixels.contiguous(memory_format=torch.channels_last)
            batch = replace(batch, pixels=pixels)
        return replace(self, batch=batch)


@dataclass(frozen=True)
class Samples(TorchDataset[tuple[Tensor, Target]]):
    """Augmented images and their targets, by position; can be pickled.

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
        epoch, row = self.place(position)
        draw = draw_of(self.recipe.seed, epoch, self.dataset.images[row].id)
        plain = position // self.recipe.batch_size >= self.plain_from
        steps = [step for step in self.recipe.augment if not (plain and isinstance(step, MIXING))]
        context = self._context(position)
        sample = augment(self.load(row), steps, draw, context)
        return sample.image, Target(sample.boxes, sample.labels)

    def place(self, position: int) -> tuple[int, int]:
        """The epoch of a position, and the row of its image."""
        epoch, within = divmod(position, len(self.dataset))
        return epoch, int(_order(self.recipe.seed, epoch, len(self.dataset))[within])

    def position(self, epoch: int, row: int) -> int:
        """The position at which an image is seen in an epoch."""
        order = _order(self.recipe.seed, epoch, len(self.dataset))
        return epoch * len(self.dataset) + int((order == row).nonzero())

    def load(self, row: int) -> Sample:
        """An image as it is, without its crowds and what its classes have no label for; nobody
        writes into it, as the latest ones are kept."""
        return self._recent.get(row, self._loaded)

    @cached_property
    def _recent(self) -> Recent:
        return Recent()

    def _loaded(self, row: int) -> Sample:
        image = self._pixels(row)
        height, width = image.shape[-2:]
        target = self.dataset.target(row, mask_size=(height, width) if self._masked else None)
        labels = self.lookup[target.labels]
        kept = labels >= 0
        if target.crowd is not None:
            kept &= ~target.crowd
        masks = None if target.masks is None else target.masks[kept]
        return clipped(Sample(image, target.boxes[kept], labels[kept], masks))

    def _pixels(self, row: int) -> Tensor:
        """The pixels of an image. Raises: as `Dataset.image`."""
        with suppress(OSError, ValueError):  # which says so by name
            source = self.dataset.images[row].source()
            content = source if isinstance(source, bytes) else read_regular(source)
            if (pixels := plain_jpeg(content)) is not None:
                return pixels
        return self.dataset.image(row).pixels

    @property
    def plain_from(self) -> int:
        """The first step of the last ones, whose images are not mixed and of one size."""
        return math.ceil(self.steps * (1 - self.recipe.plain_share))

    @cached_property
    def _masked(self) -> bool:
        return any(isinstance(step, CopyPaste) for step in self.recipe.augment)

    def size_at(self, step: int) -> tuple[int, int]:
        """The `size` of the model's input at a step."""
        scale = None if step >= self.plain_from else self.recipe.multi_scale
        return scaled(self.preprocess.size, scale, self.recipe.seed, step)

    def near(self, position: int, number: int) -> Sample:
        """One of the images that are seen before a position, which were decoded a moment ago."""
        return self.load(self.place(position - 1 - number)[1])

    def _context(self, position: int) -> Context:
        """Other images, and what becomes of an image in the network's input of that step."""
        height, width = self.preprocess.size
        rule = self.preprocess.at(self.size_at(position // self.recipe.batch_size))
        return Context(
            load=partial(self.near, position),
            rows=min(NEAR, len(self.dataset)),
            size=(height, width),
            fit=rule.fit if isinstance(rule, CardPreprocess) else None,
        )

    def share(self, part: Part) -> Share:
        """The images of a part of a step, in the network's input of that step."""
        images, targets = zip(*map(self.__getitem__, part.positions), strict=True)
        return Share(part, self.preprocess.at(self.size_at(part.step))(images), targets)


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


def parts_of(step: int, recipe: Recipe, *, rank: int = 0, processes: int = 1) -> list[Part]:
    """The shares of one process in a step, as even as can be; `weight` makes means of the batch
    of them once gradients are averaged over processes."""
    size, count = recipe.batch_size, processes * recipe.accumulate
    edges = [step * size + size * number // count for number in range(count + 1)]
    first = rank * recipe.accumulate
    spans = [
        range(edges[number], edges[number + 1])
        for number in range(first, first + recipe.accumulate)
    ]
    return [Part(step, span, len(span) / size * processes) for span in spans]


class _Shares:
    """Indexes samples by parts, for workers.

    An error that names a file is a value here: of one that is raised, torch makes another, with
    the worker's traceback for a message.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __getitem__(self, part: Part) -> Share | ZooError:
        try:
            return self.samples.share(part)
        except ZooError as error:
            return error


def shares(
    samples: Samples, start: int = 0, rank: int = 0, processes: int = 1, *, device: str = "cpu"
) -> Iterator[tuple[int, list[Share]]]:
    """Each step from `start` on, with the shares of this process.

    Raises: ImageError, DataError of an image that can't be used, from workers too.
    """
    recipe = samples.recipe
    parts = (
        part
        for step in range(start, samples.steps)
        for part in parts_of(step, recipe, rank=rank, processes=processes)
    )
    workers = workers_of(recipe, device=device, processes=processes)
    loader: Any = DataLoader(
        _Shares(samples),  # type: ignore[arg-type]  # indexed by parts, not by whole numbers
        batch_size=None,
        sampler=parts,
        num_workers=workers,
        generator=torch.Generator(),  # its own, or making it would move torch's random numbers
        prefetch_factor=4 if workers else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
        ready = iter(loader)
    for step in range(start, samples.steps):
        yield step, [_whole(next(ready)) for _ in range(recipe.accumulate)]


def _whole(share: Share | ZooError) -> Share:
    if isinstance(share, ZooError):
        raise share
    return share


def workers_of(recipe: Recipe, *, device: str, processes: int) -> int:
    """Processes that read and augment images for one that trains."""
    if recipe.workers is not None:
        return recipe.workers
    if device == "cpu" and cores() <= SMALL_MACHINE:
        return 0
    return min(MOST_WORKERS, max(1, cores() // processes - 1))
