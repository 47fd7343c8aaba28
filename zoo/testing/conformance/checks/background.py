"""A loss that also teaches where nothing is."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_iou

from zoo.contract import Batch, Target, Thresholds
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.inference.runner import eval_mode
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.free_outputs import NO_LAYER, free_outputs
from zoo.testing.conformance.images import one_target, preprocess, scene
from zoo.testing.conformance.raised import CONFIDENT
from zoo.testing.conformance.train_mode import train_mode

BEST = 10  # boxes off the objects that are followed in each image
BESIDE = 0.1  # the overlap with an object up to which a box is off it
LESS = 0.98  # of its score
SAME = 1.0  # pixels
LEAST = 0.1  # of the boxes; a loss that mines hard negatives reaches few at a time
TRIES = (20, 0.3), (40, 0.5)  # steps and their length
MAP = 4  # dimensions: image, channel, row, column
SAMPLES = 8
THOUSAND = 1000
EVERYTHING = Thresholds(score=0.0, iou=1.0, max_boxes=10_000)


def check_background_is_unlearnt(detector: Detector) -> None:
    """Going down the loss, what it believes to see where the truth has nothing it believes less, or
    sees elsewhere.

    The network takes no part: the outputs of its last layers go down the loss by themselves.
        Tolerance: of the ten boxes in each of two images that overlap no object and score best, at
            least a tenth lose 2 % of their score.
    """
    targets = [one_target(), one_target(len(detector.label_space) - 1)]
    shares = []
    for steps, rate in TRIES:
        with train_mode(detector):
            batch = preprocess(detector, [scene(seed=1), scene(seed=2)])
            shares.append(_less_believed(detector, batch, targets, steps=steps, rate=rate))
        if shares[-1] >= LEAST:
            return
    case = f"of the {2 * BEST} best boxes off the objects, {max(shares):.0%} lose score"
    require(
        False, f"Where its last layers go down the loss, {case}: it teaches not what is background."
    )


def check_background_is_unlearnt_everywhere(detector: Detector) -> None:
    """In each of its maps, coarse and fine, some loss pulls at cells outside the objects that
    believe to see something.

    Map by map the outputs of the last layers are raised, until those cells believe. One image may
    be too few where the loss samples: eight samples are drawn. A map that changes no score is not
    asked, nor is one that has no cell outside.
    """
    targets = [one_target(), one_target(len(detector.label_space) - 1)]
    with train_mode(detector):
        batch = preprocess(detector, [scene(seed=1), scene(seed=2)])
        with free_outputs(detector, batch, targets) as leaves:
            maps = _maps(leaves)
            if len(maps) < 2:
                raise NotApplicable("Its last layers have one map, or none.")
            said = {leaf: leaf.detach().clone() for leaf in leaves}
            for (height, width), of_map in maps.items():
                outside = _outside(batch, targets, height, width)
                for leaf in of_map:
                    leaf.data.copy_(CONFIDENT.of(said[leaf]))
                pulled = not outside.any() or _pulled(detector, batch, targets, of_map, outside)
                believed = None if pulled else _scores(detector, batch)
                for leaf in of_map:
                    leaf.data.copy_(said[leaf])
                silent = believed is None or bool(
                    torch.isin(believed, _scores(detector, batch)).all()
                )
                case = f"Where its map of {height} x {width} cells believes to see objects"
                require(silent, f"{case}, no loss says what is background.")


def _maps(leaves: list[Tensor]) -> dict[tuple[int, int], list[Tensor]]:
    """The outputs of the last layers, by the height and width of their map."""
    maps: dict[tuple[int, int], list[Tensor]] = {}
    for leaf in leaves:
        if leaf.ndim == MAP:
            maps.setdefault((leaf.shape[2], leaf.shape[3]), []).append(leaf)
    return maps


def _outside(batch: Batch, targets: list[Target], height: int, width: int) -> Tensor:
    """Which cells of a map have their middle outside the objects: (b, h, w)."""
    tall, wide = batch.pixels.shape[2:]
    y, x = (torch.arange(height) + 0.5) * tall / height, (torch.arange(width) + 0.5) * wide / width
    masks = []
    for place, target in zip(batch.transforms, targets, strict=True):
        left, top, right, bottom = place.to_input(target.boxes)[0].tolist()
        inside = ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right))[
            None
        ]  # (h, w)
        masks.append(~inside)
    return torch.stack(masks)


def _pulled(
    detector: Detector, batch: Batch, targets: list[Target], leaves: list[Tensor], outside: Tensor
) -> bool:
    """Whether the loss has a gradient in any of these cells, for one of several samples."""
    for seed in range(SAMPLES):
        torch.manual_seed(seed)
        losses = detector.loss(detector(batch, _copies(targets)), batch, _copies(targets))
        total = torch.stack(list(losses.values())).sum()
        grads = torch.autograd.grad(total, leaves, allow_unused=True)
        padding = outside.to(total.device)
        if any(bool((grad.abs().sum(1) * padding).any()) for grad in grads if grad is not None):
            return True
    return False


def _scores(detector: Detector, batch: Batch) -> Tensor:
    """The scores of all boxes, in thousandths."""
    return (
        torch.cat([detections.scores for detections in _seen(detector, batch)])
        .mul(THOUSAND)
        .round()
    )


def _copies(targets: list[Target]) -> list[Target]:
    """A loss may spoil the truth that it is given."""
    return [Target(target.boxes.clone(), target.labels.clone()) for target in targets]


def _less_believed(
    detector: Detector, batch: Batch, targets: list[Target], *, steps: int, rate: float
) -> float:
    """The share of the best boxes off the objects whose score falls within `steps` steps down the
    loss."""
    with free_outputs(detector, batch, targets) as leaves:
        if not leaves:
            raise NotApplicable(NO_LAYER)
        before = [
            _beside(detections, target)
            for detections, target in zip(_seen(detector, batch), targets, strict=True)
        ]
        optimizer = torch.optim.Adam(leaves, lr=rate)
        for _ in range(steps):
            torch.manual_seed(0)
            optimizer.zero_grad()
            losses = detector.loss(detector(batch, _copies(targets)), batch, _copies(targets))
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        after = _seen(detector, batch)
    if not any(len(scores) for scores in before):
        raise NotApplicable("It detects nothing off the objects.")
    less = [_less(score, other) for score, other in zip(before, after, strict=True)]
    return float(torch.cat(less).float().mean())


def _seen(detector: Detector, batch: Batch) -> list[Detections]:
    with eval_mode(detector), torch.no_grad():
        return detector.decode(detector(batch), batch, EVERYTHING)


def _beside(detections: Detections, target: Target) -> Detections:
    """The best boxes that overlap no object."""
    return detections[(box_iou(detections.boxes, target.boxes).nan_to_num() <= BESIDE).all(1)].top(
        BEST
    )


def _less(before: Detections, after: Detections) -> torch.Tensor:
    """Of each box, whether it is gone or has lost score: (n,)."""
    same = torch.cdist(before.boxes, after.boxes, p=torch.inf) <= SAME  # (n, m)
    same &= before.labels[:, None] == after.labels[None]
    now = (after.scores[None] * same).amax(1) if len(after) else torch.zeros(len(before))
    return now < LESS * before.scores
