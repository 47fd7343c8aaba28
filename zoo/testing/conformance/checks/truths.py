"""Checks of the loss against targets: every object of every image counts, however many there are,
and in whatever order."""

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
from zoo.testing.conformance.images import HEIGHT, WIDTH, no_objects, preprocess, scene
from zoo.testing.conformance.train_mode import train_mode

IMAGES = 4
SIDE = 12.0  # pixels of the network's input, the least that an object has here
MOST = 12  # objects of a crowd
HUNDRED = 100
UNEVEN = 0.1  # of a side
EQUAL = 1e-6  # of a loss: what is nearer than that is the same
ROUNDING = 1e-3  # of a loss that is summed in another order
SEEDS = (1, 2, 3)  # of other random samples
SPREADS = 2.0  # times the largest difference that they make
STEEP = 3.0  # a sum over images doubles with them, a square is four times as large


def check_loss_is_per_image_or_summed(detector: Detector) -> None:
    """With every image there twice, the loss is the same, or twice as large; not a half, and not
    four times as large.

    It may be a mean over the batch or a sum over it. Tolerance: less than three times as large, and
    more than a third.
    """
    images = [scene(seed=1), scene(seed=2)]
    with train_mode(detector):
        targets = [_crowd(place)[0] for place in preprocess(detector, images).transforms]
        losses = []
        for times in (1, 2):
            torch.manual_seed(0)
            batch = preprocess(detector, images * times)
            outputs = detector(batch, targets * times)
            losses.append(_total(detector.loss(outputs, batch, targets * times)))
    once, twice = losses
    ratio = twice / once if once else 1.0
    require(
        1 / STEEP < ratio < STEEP,
        f"With every image there twice the loss is {ratio:.3g} times as large.",
    )


def check_every_image_counts(detector: Detector) -> None:
    """In a batch of four the loss is another when the object of any one image is another, or is not
    there."""
    with asked(detector, images=IMAGES) as ask:
        usual = [_one(place, label=0) for place in ask.batch.transforms]
        before = ask(usual)
        for position, place in enumerate(ask.batch.transforms):
            for other, said in (
                (no_objects(), "is not there"),
                (_one(place, label=0, second=True), "is elsewhere"),
            ):
                changed = [*usual[:position], other, *usual[position + 1 :]]
                same = _same(ask(changed), before)
                require(
                    not same,
                    f"In a batch of {IMAGES} the loss is the same when the object of image "
                    f"{position} {said}.",
                )


def check_every_object_counts(detector: Detector) -> None:
    """In a crowd the loss is another without the first, a middle or the last object, and the same
    in another order.

    A loss of random samples may differ by what other samples of the same objects do.
    """
    with asked(detector) as ask:
        crowd, boxes = _crowd(ask.batch.transforms[0], classes=len(detector.label_space))
        before = ask([crowd, no_objects()])
        for gone in sorted({0, boxes // 2, boxes - 1}):
            rest = _rows(crowd, [row for row in range(boxes) if row != gone])
            same = _same(ask([rest, no_objects()]), before)
            require(
                not same,
                f"Of {boxes} objects in an image, the loss is the same without number {gone + 1}.",
            )
        reversed_crowd = _rows(crowd, list(range(boxes))[::-1])
        losses, turned = ask.values(crowd), ask.values(reversed_crowd)
        other_samples = [ask.values(crowd, seed=seed) for seed in SEEDS]
        for name, first in losses.items():
            other = turned[name]
            spread = max(abs(first - values[name]) for values in other_samples)
            close = abs(first - other) <= ROUNDING * max(abs(first), abs(other)) + SPREADS * spread
            require(
                close,
                f"With its {boxes} objects in another order the loss '{name}' is {other:.4g}, not "
                f"{first:.4g}.",
            )


def check_small_and_many_objects_train(detector: Detector) -> None:
    """A hundred objects give a finite loss, and so does one of half a pixel; one without area is
    left out of it."""
    half = Target(torch.tensor([[20.0, 20.0, 20.5, 20.5]]), torch.tensor([0]))
    flat = Target(torch.tensor([[20.0, 20.0, 20.0, 30.0]]), torch.tensor([0]))
    with asked(detector) as ask:
        small = _one(ask.batch.transforms[0], label=0)
        before = ask([small, no_objects()])
        many = Target(_grid(HUNDRED // 10, 10), torch.arange(HUNDRED) % len(detector.label_space))
        for said, more in (
            ("a hundred objects", many),
            ("an object of half a pixel", half),
            ("an object without area", flat),
        ):
            crowded = ask([_joined(small, more), no_objects()])
            require(
                crowded == crowded and abs(crowded) != float("inf"),
                f"With {said} the loss is {crowded}.",
            )
        require(
            _same(crowded, before),
            f"With an object without area the loss is {crowded:.6g}, and {before:.6g} without it.",
        )


@dataclass
class Asked:
    """The loss for one truth after the other.

    The network runs once, if its outputs are the same whatever the targets, and no loss changes
    them; else it runs for each truth.
    """

    detector: Detector
    batch: Batch
    outputs: object = None
    reusable: bool | None = None
    seed: int = 0

    def __call__(self, targets: Sequence[Target]) -> float:
        """The sum of the losses; random samples are the same each time."""
        return _total(self.losses(targets))

    def values(self, target: Target, *, seed: int = 0) -> dict[str, float]:
        """Each loss of a truth of the first image, with the random samples of a seed."""
        self.seed = seed
        losses = self.losses([target, no_objects()])
        self.seed = 0
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def losses(self, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The losses themselves, still connected to the weights."""
        if self.reusable is None:
            self.reusable = self._is_reusable(targets)
        if not self.reusable:
            self.outputs = self._run(targets)
        return self._asked(targets)

    def _is_reusable(self, targets: Sequence[Target]) -> bool:
        without = self._run([no_objects() for _ in targets])
        self.outputs = self._run(targets)
        if not _equal(tensors(without), tensors(self.outputs)):
            return False
        return _total(self._asked(targets)) == _total(self._asked(targets))

    def _run(self, targets: Sequence[Target]) -> object:
        torch.manual_seed(self.seed)
        return self.detector(self.batch, _copies(targets))

    def _asked(self, targets: Sequence[Target]) -> dict[str, Tensor]:
        torch.manual_seed(self.seed)
        return self.detector.loss(self.outputs, self.batch, _copies(targets))


@contextmanager
def asked(detector: Detector, *, images: int = 2) -> Iterator[Asked]:
    """The detector in train mode, after a number of scenes went through it."""
    with train_mode(detector):
        torch.manual_seed(0)
        batch = preprocess(detector, [scene(seed=seed + 1) for seed in range(images)])
        yield Asked(detector, batch)


def _copies(targets: Sequence[Target]) -> list[Target]:
    """A loss may spoil the truth that it is given."""
    return [Target(target.boxes.clone(), target.labels.clone()) for target in targets]


def _equal(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    if len(ours) != len(theirs):
        return False
    return all(torch.equal(tensor, other) for tensor, other in zip(ours, theirs, strict=True))


def _total(losses: dict[str, Tensor]) -> float:
    return float(torch.stack([loss.detach() for loss in losses.values()]).sum())


def _same(first: float, other: float) -> bool:
    return abs(first - other) <= EQUAL * max(abs(first), abs(other))


def _side(place: InputTransform) -> float:
    """The least side of an object in pixels of the image."""
    return SIDE / min(place.scale_x, place.scale_y)


def _one(place: InputTransform, *, label: int, second: bool = False) -> Target:
    """An object in the left half of the image, or in the right half, large enough for the network's
    input."""
    side = min(max(_side(place), WIDTH / 4), HEIGHT - 2.0)
    left = min(34.0, WIDTH - 1.0 - side) if second else 2.0
    return Target(torch.tensor([[left, 2.0, left + side, 2.0 + side]]), torch.tensor([label]))


def _crowd(place: InputTransform, *, classes: int = 1) -> tuple[Target, int]:
    """As many objects side by side as there is room for, twelve at most, and how many those are."""
    rows, columns = int(HEIGHT * place.scale_y / SIDE), int(WIDTH * place.scale_x / SIDE)
    boxes = _grid(min(rows, 3), min(columns, MOST // 3))
    if len(boxes) < 2:
        raise NotApplicable("Its input is too small for two objects.")
    return Target(boxes, torch.arange(len(boxes)) * (classes - 1) // (len(boxes) - 1)), len(boxes)


def _grid(rows: int, columns: int) -> Tensor:
    """Boxes side by side all over a scene, no two of one size, so that nothing lies as near to one
    as to another."""
    tall, wide = HEIGHT / max(rows, 1), WIDTH / max(columns, 1)
    corners = [
        [column * wide, row * tall, (column + 1) * wide, (row + 1) * tall]
        for row in range(rows)
        for column in range(columns)
    ]
    uneven = torch.rand(len(corners), 4, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1, 1, -1, -1]
    )
    return torch.tensor(corners).view(-1, 4) + UNEVEN * min(tall, wide) * uneven


def _rows(target: Target, rows: list[int]) -> Target:
    return Target(target.boxes[rows], target.labels[rows])


def _joined(target: Target, other: Target) -> Target:
    return Target(torch.cat([target.boxes, other.boxes]), torch.cat([target.labels, other.labels]))
