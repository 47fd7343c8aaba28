"""Checks that every object of every image counts in the loss, however many there are and in any
order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.contract import Batch, InputTransform, Target
from zoo.detectors.detector import Detector
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.free_outputs import tensors
from zoo.testing.conformance.images import (
    HEIGHT,
    WIDTH,
    copy_targets,
    no_objects,
    preprocess,
    scene,
)
from zoo.testing.conformance.train_mode import train_mode

IMAGES = 4
SIDE = 12.0  # pixels of the network's input, the smallest object here
MAX_CROWD = 12  # objects in an image
MANY = 100  # objects
UNEVENNESS = 0.1  # of a side
EQUAL = 1e-6  # relative difference of losses that are the same
ROUNDING = 1e-3  # relative difference of a loss that is summed in another order
SEEDS = (1, 2, 3)  # of other random samples
SPREADS = 2.0  # times the largest difference between the losses of those seeds
MAX_RATIO = 3.0  # with twice the images a sum doubles, and a square is four times as large


def check_loss_is_per_image_or_summed(detector: Detector) -> None:
    """With every image in the batch twice, the loss is the same or twice as large, not a half or
    four times as large.

    It may be a mean or a sum over the batch.
    Tolerance: less than three times as large, and more than a third.
    """
    images = [scene(seed=1), scene(seed=2)]
    with train_mode(detector):
        targets = [_crowd(transform)[0] for transform in preprocess(detector, images).transforms]
        losses = []
        for times in (1, 2):
            torch.manual_seed(0)
            batch = preprocess(detector, images * times)
            outputs = detector(batch, targets * times)
            losses.append(_total(detector.loss(outputs, batch, targets * times)))
    once, twice = losses
    ratio = twice / once if once else 1.0
    require(
        1 / MAX_RATIO < ratio < MAX_RATIO,
        f"With every image in the batch twice, the loss is {ratio:.3g} times as large.",
    )


def check_every_image_counts(detector: Detector) -> None:
    """In a batch of four the loss changes if the object of any one image is missing or
    elsewhere."""
    with probe_loss(detector, images=IMAGES) as probe:
        usual = [_one(transform, label=0) for transform in probe.batch.transforms]
        before = probe(usual)
        for position, transform in enumerate(probe.batch.transforms):
            for other, change in (
                (no_objects(), "is missing"),
                (_one(transform, label=0, second=True), "is elsewhere"),
            ):
                changed = [*usual[:position], other, *usual[position + 1 :]]
                same = _same(probe(changed), before)
                require(
                    not same,
                    f"In a batch of {IMAGES} the loss is the same if the object of image "
                    f"{position} {change}.",
                )


def check_every_object_counts(detector: Detector) -> None:
    """With many objects in an image, the loss changes without the first, a middle or the last one,
    and is the same in another order.

    A loss that samples at random may differ by as much as with other seeds.
    """
    with probe_loss(detector) as probe:
        crowd, boxes = _crowd(probe.batch.transforms[0], classes=len(detector.label_space))
        before = probe([crowd, no_objects()])
        for gone in sorted({0, boxes // 2, boxes - 1}):
            rest = _rows(crowd, [row for row in range(boxes) if row != gone])
            same = _same(probe([rest, no_objects()]), before)
            require(
                not same,
                f"Of {boxes} objects in an image, the loss is the same without number {gone + 1}.",
            )
        reversed_crowd = _rows(crowd, list(range(boxes))[::-1])
        losses, reordered = probe.values(crowd), probe.values(reversed_crowd)
        other_samples = [probe.values(crowd, seed=seed) for seed in SEEDS]
        for name, first in losses.items():
            other = reordered[name]
            spread = max(abs(first - values[name]) for values in other_samples)
            close = abs(first - other) <= ROUNDING * max(abs(first), abs(other)) + SPREADS * spread
            require(
                close,
                f"With its {boxes} objects in another order the loss '{name}' is {other:.4g}, not "
                f"{first:.4g}.",
            )


def check_small_and_many_objects_train(detector: Detector) -> None:
    """A hundred objects give a finite loss, and so does one of half a pixel; one without area does
    not change it."""
    half = Target(torch.tensor([[20.0, 20.0, 20.5, 20.5]]), torch.tensor([0]))
    flat = Target(torch.tensor([[20.0, 20.0, 20.0, 30.0]]), torch.tensor([0]))
    with probe_loss(detector) as probe:
        small = _one(probe.batch.transforms[0], label=0)
        before = probe([small, no_objects()])
        many = Target(_grid(MANY // 10, 10), torch.arange(MANY) % len(detector.label_space))
        for objects, target in (
            ("a hundred objects", many),
            ("an object of half a pixel", half),
            ("an object without area", flat),
        ):
            crowded = probe([_joined(small, target), no_objects()])
            require(
                crowded == crowded and abs(crowded) != float("inf"),
                f"With {objects} the loss is {crowded}.",
            )
        require(
            _same(crowded, before),
            f"With an object without area the loss is {crowded:.6g}, and {before:.6g} without it.",
        )


@dataclass
class LossProbe:
    """Computes the loss of a batch for any targets.

    The network runs once if its outputs don't depend on the targets and the loss doesn't change
    them; else it runs again for each.
    """

    detector: Detector
    batch: Batch
    outputs: object = None
    reusable: bool | None = None
    seed: int = 0

    def __call__(self, targets: Sequence[Target]) -> float:
        """The sum of the losses, with the same random samples each time."""
        return _total(self.losses(targets))

    def values(self, target: Target, *, seed: int = 0) -> dict[str, float]:
        """Each loss if only the first image has objects, with the random samples of a seed."""
        self.seed = seed
        losses = self.losses([target, no_objects()])
        self.seed = 0
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def losses(self, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The losses as tensors, connected to the weights."""
        if self.reusable is None:
            without_objects = self._run([no_objects() for _ in targets])
            self.outputs = self._run(targets)
            self.reusable = self._is_reusable(without_objects, targets)
        if not self.reusable:
            self.outputs = self._run(targets)
        return self._losses(targets)

    def _is_reusable(self, without_objects: object, targets: Sequence[Target]) -> bool:
        """Whether the outputs are the same as those without objects, and the loss is the same when
        it is computed twice."""
        if not _equal(tensors(without_objects), tensors(self.outputs)):
            return False
        return _total(self._losses(targets)) == _total(self._losses(targets))

    def _run(self, targets: Sequence[Target]) -> object:
        torch.manual_seed(self.seed)
        return self.detector(self.batch, copy_targets(targets))

    def _losses(self, targets: Sequence[Target]) -> dict[str, Tensor]:
        torch.manual_seed(self.seed)
        return self.detector.loss(self.outputs, self.batch, copy_targets(targets))


@contextmanager
def probe_loss(detector: Detector, *, images: int = 2) -> Iterator[LossProbe]:
    """A probe of the loss on a number of scenes, with the detector in train mode."""
    with train_mode(detector):
        torch.manual_seed(0)
        batch = preprocess(detector, [scene(seed=seed + 1) for seed in range(images)])
        yield LossProbe(detector, batch)


def _equal(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    if len(ours) != len(theirs):
        return False
    return all(torch.equal(tensor, other) for tensor, other in zip(ours, theirs, strict=True))


def _total(losses: dict[str, Tensor]) -> float:
    return float(torch.stack([loss.detach() for loss in losses.values()]).sum())


def _same(first: float, other: float) -> bool:
    return abs(first - other) <= EQUAL * max(abs(first), abs(other))


def _side(transform: InputTransform) -> float:
    """The side of the smallest object, in pixels of the image."""
    return SIDE / min(transform.scale_x, transform.scale_y)


def _one(transform: InputTransform, *, label: int, second: bool = False) -> Target:
    """An object in the left or the right half of the image, not too small in the network's
    input."""
    side = min(max(_side(transform), WIDTH / 4), HEIGHT - 2.0)
    left = min(34.0, WIDTH - 1.0 - side) if second else 2.0
    return Target(torch.tensor([[left, 2.0, left + side, 2.0 + side]]), torch.tensor([label]))


def _crowd(transform: InputTransform, *, classes: int = 1) -> tuple[Target, int]:
    """As many objects side by side as fit, at most twelve, and their number."""
    rows, columns = int(HEIGHT * transform.scale_y / SIDE), int(WIDTH * transform.scale_x / SIDE)
    boxes = _grid(min(rows, 3), min(columns, MAX_CROWD // 3))
    if len(boxes) < 2:
        raise NotApplicable("Its input is too small for two objects.")
    return Target(boxes, torch.arange(len(boxes)) * (classes - 1) // (len(boxes) - 1)), len(boxes)


def _grid(rows: int, columns: int) -> Tensor:
    """Boxes side by side all over a scene, `(rows * columns, 4)`, of different sizes, so that no
    point is equally near to two of them."""
    tall, wide = HEIGHT / max(rows, 1), WIDTH / max(columns, 1)
    corners = [
        [column * wide, row * tall, (column + 1) * wide, (row + 1) * tall]
        for row in range(rows)
        for column in range(columns)
    ]
    uneven = torch.rand(len(corners), 4, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1, 1, -1, -1]
    )
    return torch.tensor(corners).view(-1, 4) + UNEVENNESS * min(tall, wide) * uneven


def _rows(target: Target, rows: list[int]) -> Target:
    return Target(target.boxes[rows], target.labels[rows])


def _joined(target: Target, other: Target) -> Target:
    return Target(torch.cat([target.boxes, other.boxes]), torch.cat([target.labels, other.labels]))
