"""Checks that the loss also teaches what is background."""

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
from zoo.testing.conformance.images import copy_targets, one_target, preprocess, scene
from zoo.testing.conformance.raised_scores import CONFIDENT
from zoo.testing.conformance.train_mode import train_mode

BOXES_FOLLOWED = 10  # background boxes in each image
MAX_IOU = 0.1  # with an object, for a box to be background
SCORE_LEFT = 0.98  # of its score, at most, of a box whose score falls
MAX_SHIFT = 1.0  # pixels by which the same box may move
MIN_SHARE = 0.1  # of the boxes; a loss that mines hard negatives reaches few at a time
TRIES = (20, 0.3), (40, 0.5)  # number of steps and learning rate
MAP_DIMENSIONS = 4  # image, channel, row, column
SAMPLES = 8  # random seeds of a loss that samples
THOUSAND = 1000
EVERYTHING = Thresholds(score=0.0, iou=1.0, max_boxes=10_000)


def check_background_is_unlearnt(detector: Detector) -> None:
    """As the loss falls, boxes where the target has no object lose score or move.

    No weight is trained: the outputs of the last layers descend the loss by themselves.
    Tolerance: of the ten boxes in each of two images that overlap no object and score best, at
        least a tenth lose 2 % of their score.
    """
    targets = [one_target(), one_target(len(detector.label_space) - 1)]
    shares = []
    for steps, rate in TRIES:
        with train_mode(detector):
            batch = preprocess(detector, [scene(seed=1), scene(seed=2)])
            shares.append(_share_losing_score(detector, batch, targets, steps=steps, rate=rate))
        if shares[-1] >= MIN_SHARE:
            return
    case = f"{max(shares):.0%} of the {2 * BOXES_FOLLOWED} best boxes off the objects lose score"
    require(
        False,
        f"When the outputs of its last layers descend the loss, {case}: the loss does not teach "
        f"what is background.",
    )


def check_background_is_unlearnt_everywhere(detector: Detector) -> None:
    """In each of its feature maps, coarse and fine, the loss has a gradient in cells outside the
    objects that detect something.

    The outputs of the last layers are raised map by map, until those cells detect something. A loss
    that samples may miss them once, so eight samples are drawn. A map that changes no score is not
    checked, nor is one without cells outside the objects.
    """
    targets = [one_target(), one_target(len(detector.label_space) - 1)]
    with train_mode(detector):
        batch = preprocess(detector, [scene(seed=1), scene(seed=2)])
        with free_outputs(detector, batch, targets) as leaves:
            maps = _maps(leaves)
            if len(maps) < 2:
                raise NotApplicable("Its last layers have one map, or none.")
            originals = {leaf: leaf.detach().clone() for leaf in leaves}
            for (height, width), of_map in maps.items():
                outside = _outside(batch, targets, height, width)
                for leaf in of_map:
                    leaf.data.copy_(CONFIDENT.of(originals[leaf]))
                has_gradient = not outside.any() or _has_gradient(
                    detector, batch, targets, of_map, outside
                )
                raised_scores = None if has_gradient else _scores(detector, batch)
                for leaf in of_map:
                    leaf.data.copy_(originals[leaf])
                silent = raised_scores is None or bool(
                    torch.isin(raised_scores, _scores(detector, batch)).all()
                )
                case = f"Where its map of {height} x {width} cells detects objects in background"
                require(silent, f"{case}, the loss has no gradient.")


def _maps(leaves: list[Tensor]) -> dict[tuple[int, int], list[Tensor]]:
    """The outputs of the last layers, by the height and width of their map."""
    maps: dict[tuple[int, int], list[Tensor]] = {}
    for leaf in leaves:
        if leaf.ndim == MAP_DIMENSIONS:
            maps.setdefault((leaf.shape[2], leaf.shape[3]), []).append(leaf)
    return maps


def _outside(batch: Batch, targets: list[Target], height: int, width: int) -> Tensor:
    """Which cells of a map have their center outside the objects: (b, h, w)."""
    tall, wide = batch.pixels.shape[2:]
    y, x = (torch.arange(height) + 0.5) * tall / height, (torch.arange(width) + 0.5) * wide / width
    masks = []
    for transform, target in zip(batch.transforms, targets, strict=True):
        left, top, right, bottom = transform.to_input(target.boxes)[0].tolist()
        rows, columns = (y >= top) & (y <= bottom), (x >= left) & (x <= right)
        masks.append(~(rows[:, None] & columns[None]))  # (h, w)
    return torch.stack(masks)


def _has_gradient(
    detector: Detector, batch: Batch, targets: list[Target], leaves: list[Tensor], outside: Tensor
) -> bool:
    """Whether the loss has a gradient in any of these cells, for one of several seeds."""
    for seed in range(SAMPLES):
        torch.manual_seed(seed)
        losses = detector.loss(detector(batch, copy_targets(targets)), batch, copy_targets(targets))
        total = torch.stack(list(losses.values())).sum()
        grads = torch.autograd.grad(total, leaves, allow_unused=True)
        mask = outside.to(total.device)
        if any(bool((grad.abs().sum(1) * mask).any()) for grad in grads if grad is not None):
            return True
    return False


def _scores(detector: Detector, batch: Batch) -> Tensor:
    """The scores of all boxes of the batch, in whole thousandths: (n,)."""
    return (
        torch.cat([detections.scores for detections in _decode(detector, batch)])
        .mul(THOUSAND)
        .round()
    )


def _share_losing_score(
    detector: Detector, batch: Batch, targets: list[Target], *, steps: int, rate: float
) -> float:
    """The share of the best background boxes whose score falls within `steps` steps of descent."""
    with free_outputs(detector, batch, targets) as leaves:
        if not leaves:
            raise NotApplicable(NO_LAYER)
        before = [
            _off_objects(detections, target)
            for detections, target in zip(_decode(detector, batch), targets, strict=True)
        ]
        optimizer = torch.optim.Adam(leaves, lr=rate)
        for _ in range(steps):
            torch.manual_seed(0)
            optimizer.zero_grad()
            losses = detector.loss(
                detector(batch, copy_targets(targets)), batch, copy_targets(targets)
            )
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        after = _decode(detector, batch)
    if not any(len(scores) for scores in before):
        raise NotApplicable("It detects nothing off the objects.")
    falling = [_loses_score(first, other) for first, other in zip(before, after, strict=True)]
    return float(torch.cat(falling).float().mean())


def _decode(detector: Detector, batch: Batch) -> list[Detections]:
    with eval_mode(detector), torch.no_grad():
        return detector.decode(detector(batch), batch, EVERYTHING)


def _off_objects(detections: Detections, target: Target) -> Detections:
    """The best boxes that overlap no object."""
    overlaps = box_iou(detections.boxes, target.boxes).nan_to_num()  # (n, m)
    return detections[(overlaps <= MAX_IOU).all(1)].top(BOXES_FOLLOWED)


def _loses_score(before: Detections, after: Detections) -> torch.Tensor:
    """Which boxes are gone or have a lower score: (n,)."""
    same = torch.cdist(before.boxes, after.boxes, p=torch.inf) <= MAX_SHIFT  # (n, m)
    same &= before.labels[:, None] == after.labels[None]
    now = (after.scores[None] * same).amax(1) if len(after) else torch.zeros(len(before))
    return now < SCORE_LEFT * before.scores
