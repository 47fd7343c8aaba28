"""A loss that also teaches where nothing is."""

from __future__ import annotations

import torch
from torchvision.ops import box_iou

from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.detectors.mode import evaluating
from zoo.parts import Batch, Protocol, Target
from zoo.testing.freed import freed
from zoo.testing.lent import training
from zoo.testing.pictures import scene, truth
from zoo.testing.verdict import NotApplicable, require

BEST = 10  # boxes beside the objects that are followed in each image
BESIDE = 0.1  # the overlap with an object up to which a box is beside it
LESS = 0.98  # of its score
SAME = 1.0  # pixels
LEAST = 0.1  # of the boxes; a loss that mines hard negatives reaches few at a time
TRIES = (20, 0.3), (40, 0.5)  # steps and their length
EVERYTHING = Protocol(score=0.0, iou=1.0, max_boxes=10_000)


def check_background_is_unlearnt(detector: Detector) -> None:
    """Going down the loss, what it believes to see where the truth has nothing it believes less, or sees elsewhere.

    The network takes no part: the outputs of its last layers go down the loss by themselves. Tolerance: of the ten boxes in each
    of two images that overlap no object and score best, at least a tenth lose 2 % of their score.
    """
    targets = [truth(), truth(len(detector.space) - 1)]
    shares = []
    for steps, rate in TRIES:
        with training(detector):
            batch = detector.prepare([scene(seed=1), scene(seed=2)])
            shares.append(_less_believed(detector, batch, targets, steps=steps, rate=rate))
        if shares[-1] >= LEAST:
            return
    case = f"of the {2 * BEST} best boxes beside the objects, {max(shares):.0%} lose score"
    require(False, f"Where its last layers go down the loss, {case}: it teaches not what is background.")


def _less_believed(detector: Detector, batch: Batch, targets: list[Target], *, steps: int, rate: float) -> float:
    """The share of the best boxes beside the objects that are believed less after so many steps down the loss."""
    with freed(detector, batch) as leaves:
        if not leaves:
            raise NotApplicable("No layer of it leads to a tensor in dicts, lists, tuples or dataclasses.")
        before = [_beside(seen, target) for seen, target in zip(_seen(detector, batch), targets, strict=True)]
        optimizer = torch.optim.Adam(leaves, lr=rate)
        for _ in range(steps):
            torch.manual_seed(0)
            optimizer.zero_grad()
            losses = detector.loss(detector(batch), batch, [Target(one.boxes.clone(), one.labels.clone()) for one in targets])
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        after = _seen(detector, batch)
    if not any(len(one) for one in before):
        raise NotApplicable("It sees nothing beside the objects.")
    less = [_less(one, other) for one, other in zip(before, after, strict=True)]
    return float(torch.cat(less).float().mean())


def _seen(detector: Detector, batch: Batch) -> list[Detections]:
    with evaluating(detector), torch.no_grad():
        return detector.decode(detector(batch), batch, EVERYTHING)


def _beside(seen: Detections, target: Target) -> Detections:
    """The best boxes that overlap no object."""
    return seen[(box_iou(seen.boxes, target.boxes).nan_to_num() <= BESIDE).all(1)].top(BEST)


def _less(before: Detections, after: Detections) -> torch.Tensor:
    """Of each box, whether it is gone or has lost score: (n,)."""
    same = torch.cdist(before.boxes, after.boxes, p=torch.inf) <= SAME  # (n, m)
    same &= before.labels[:, None] == after.labels[None]
    now = (after.scores[None] * same).amax(1) if len(after) else torch.zeros(len(before))
    return now < LESS * before.scores
