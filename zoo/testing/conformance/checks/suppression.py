"""Checks of suppression: it drops only boxes that overlap a better one of their class, and no other
limit cuts the list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import torch
from torch import Tensor
from torchvision.ops import box_iou

from zoo.contract import InputTransform, Protocol
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.testing.conformance.checks.classes import MUTED_SCORE, mute_classes
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.free_outputs import tensors
from zoo.testing.conformance.images import Pass, scene
from zoo.testing.conformance.raised_scores import Rise, raised_pass

IOUS = 0.1, 0.3, 0.6, 0.9
MAX_BOXES = 10_000
BOXES_COMPARED = 500  # the best ones, which only better ones can suppress
SMALL_LIMITS = 8, 50  # boxes
SEEDS = 0, 1, 3  # of scenes
SLACK = 1e-3  # of an IoU, for the rounding of scaled boxes
MAX_SHIFT = 1e-2  # pixels by which the same box may differ
ENLARGEMENT = 9
# Pixels. A box that ends at the image's edge was clipped there, which changes its overlaps.
EDGE = 0.5
# Raises of the outputs, tried until enough boxes overlap.
RISES = (
    Rise(2.0, 0.5),
    Rise(2.0, 0.3),
    Rise(2.0, 1.0),
    Rise(1.0, 0.3),
    Rise(0.0, 0.3),
)
NEAR_OWN_IOU = 0.8  # of its own iou
MIN_BOXES = 5  # more than chance
SPARE = 4  # outputs may have several times the numbers that boxes and class scores need


def check_iou_obeyed(detector: Detector) -> None:
    """No two boxes of a class overlap by more than `iou`, from 0.1 to 0.9, except those that the
    image's edge clips."""
    with _pass_over_scenes(detector) as one_pass:
        for iou in IOUS:
            for detections in one_pass.decoded(_everything(iou)):
                worst = _largest_overlap(detections, one_pass)
                require(
                    worst <= iou + SLACK,
                    f"With iou={iou} two boxes of one class overlap by {worst:.3f}.",
                )


def check_iou_is_the_callers(detector: Detector) -> None:
    """The caller's `iou` replaces the detector's own, whether it is larger or smaller.

    At `iou=1`, some boxes of a class overlap by more than its own `iou`; at half of its own, none
    overlap by more than that. Boxes that an edge clips don't count. The outputs of the last layers
    are raised until enough boxes overlap. If none do, the check fails if boxes are missing at
    `iou=1` and others overlap by nearly its own.
    """
    own, close, most = _own_iou(detector), 0, 0.0
    counts: list[int] = []
    for rise in RISES:
        one_pass = _in_larger_images(
            raised_pass(detector, [scene(seed=seed) for seed in SEEDS], rise)
        )
        everything, fewer = (
            one_pass.decoded(_everything(1.0)),
            one_pass.decoded(_everything(own / 2)),
        )
        worst = max(_largest_overlap(detections, one_pass) for detections in fewer)
        require(
            worst <= own / 2 + SLACK,
            f"With iou={own / 2:g} two boxes of one class overlap by {worst:.3f}; its own is "
            f"{own:g}.",
        )
        most = max([most, *(_largest_overlap(detections, one_pass) for detections in everything)])
        if most > own + SLACK:
            return
        close += sum(map(len, everything)) - sum(
            map(len, one_pass.decoded(_everything(NEAR_OWN_IOU * own)))
        )
        counts += map(len, everything)
    missing = max(counts) * len(counts) - sum(counts)
    if min(close, missing) < MIN_BOXES:
        raise NotApplicable(
            "Of its boxes of one class too few overlap to tell; a larger input may have more."
        )
    require(
        False,
        f"With iou=1 no two boxes of one class overlap by more than {most:.3f}; its own iou is "
        f"{own:g}.",
    )


def check_only_overlaps_suppressed(detector: Detector) -> None:
    """A box is dropped only if a better one of its class that is kept overlaps it by more than
    `iou`, from 0.1 to 0.9.

    Compared with the boxes at `iou=1`, except those that the image's edge clips.
    """
    with _pass_over_scenes(detector) as one_pass:
        everything = one_pass.decoded(_everything(1.0))
        for iou in IOUS:
            for detections, remaining in zip(
                everything, one_pass.decoded(_everything(iou)), strict=True
            ):
                dropped = _wrongly_dropped(
                    detections[_is_uncut(detections, one_pass)].top(BOXES_COMPARED),
                    remaining,
                    iou,
                )
                case = (
                    f"With iou={iou}, {len(dropped)} of {len(detections)} boxes are missing that "
                    f"no better box of their class overlaps by as much"
                )
                require(not len(dropped), f"{case}, the best of them {_best_box(dropped)}.")


def check_best_of_what_is_kept(detector: Detector) -> None:
    """With `max_boxes` of 8 or 50 it returns the best 8 or 50 of the boxes that it keeps with a
    large one."""
    with _pass_over_scenes(detector) as one_pass:
        everything = _everything(IOUS[0])
        complete = [_without_muted(many) for many in one_pass.decoded(everything)]
        for most in SMALL_LIMITS:
            for detections, many in zip(
                one_pass.decoded(replace(everything, max_boxes=most)), complete, strict=True
            ):
                few = _without_muted(detections)
                case = f"With iou={IOUS[0]} and max_boxes={most} it returns {len(few)} boxes"
                same = few.equals(many.top(most), tolerance=1e-4)
                require(
                    same, f"{case}, and not the best {min(most, len(many))} of those that it keeps."
                )


def check_max_boxes_is_the_callers(detector: Detector) -> None:
    """With a `max_boxes` larger than its own, all boxes that it keeps at `iou=0.1` are among those
    at `iou=1`.

    If another limit cuts the list, boxes that the smaller `iou` drops make room for others.
    """
    with _pass_over_scenes(detector) as one_pass:
        everything, suppressed = (one_pass.decoded(_everything(iou)) for iou in (1.0, IOUS[0]))
        for detections, few in zip(
            map(_without_muted, everything), map(_without_muted, suppressed), strict=True
        ):
            more = int((~_is_among(few, detections)).sum())
            case = (
                f"With max_boxes={MAX_BOXES} it returns {len(detections)} boxes at iou=1, and at "
                f"iou={IOUS[0]} {more} others"
            )
            require(
                not more,
                f"{case}: a smaller number of boxes cuts the list. Its own max_boxes is "
                f"{detector.defaults.max_boxes}.",
            )


def check_many_boxes_returned(detector: Detector) -> None:
    """At `iou=1`, `score=0` and a large `max_boxes` it returns more boxes than its own `max_boxes`.

    In the image with most detections, and unless the network's outputs are too small for as many:
    at least a quarter of their numbers are taken for boxes and class scores.
    """
    with _pass_over_scenes(detector) as one_pass:
        own = detector.defaults.max_boxes
        least = _outputs(one_pass, len(detector.label_space))
        most = max(len(detections) for detections in one_pass.decoded(_everything(1.0)))
        case = f"At score=0 and iou=1, with max_boxes={MAX_BOXES}, it returns {most} boxes"
        require(
            most >= min(own, least),
            f"{case}; its own max_boxes is {own}, and its outputs are of more than {least}.",
        )
        require(
            most != own or least <= own,
            f"{case}, as its own max_boxes; its outputs are of more than {least}.",
        )


def _outputs(one_pass: Pass, classes: int) -> int:
    """A lower bound of the number of boxes in the outputs for an image; at most its rows of four
    numbers."""
    outputs, images = tensors(one_pass.outputs), len(one_pass.batch)
    numbers = sum(output.numel() for output in outputs) / images / (5 + classes) / SPARE
    rows = [
        output.numel() / 4 / images for output in outputs if output.ndim and output.shape[-1] == 4
    ]
    return int(min([numbers, *rows]))


@contextmanager
def _pass_over_scenes(detector: Detector) -> Iterator[Pass]:
    """A pass over some scenes, with all classes but two muted if they can be: the boxes of each
    then overlap more.

    Raises: NotApplicable if the detector suppresses nothing.
    """
    _own_iou(detector)
    with ExitStack() as stack:
        with suppress(NotApplicable):
            stack.enter_context(
                mute_classes(detector, range(2, len(detector.label_space)), background=True)
            )
        yield _in_larger_images(Pass.at(detector, [scene(seed=seed) for seed in SEEDS]))


def _own_iou(detector: Detector) -> float:
    """The detector's own `iou`. Raises: NotApplicable if it suppresses nothing."""
    own = detector.defaults.iou
    if own is None or own == 1:
        raise NotApplicable("It suppresses nothing: its own iou is 1.")
    return own


def _in_larger_images(one_pass: Pass) -> Pass:
    """The same pass, with transforms as if each image were the middle of a larger one."""
    return replace(
        one_pass,
        batch=replace(
            one_pass.batch,
            transforms=tuple(
                _in_larger_image(transform) for transform in one_pass.batch.transforms
            ),
        ),
    )


def _in_larger_image(transform: InputTransform) -> InputTransform:
    """The transform of an image nine times as high and wide around this one, whose edges clip fewer
    boxes."""
    top, left = (
        ENLARGEMENT // 2 * side
        for side in (transform.height * transform.scale_y, transform.width * transform.scale_x)
    )
    larger = replace(
        transform, height=ENLARGEMENT * transform.height, width=ENLARGEMENT * transform.width
    )
    return replace(larger, top=transform.top - top, left=transform.left - left)


def _everything(iou: float) -> Protocol:
    return Protocol(score=0.0, iou=iou, max_boxes=MAX_BOXES)


def _largest_overlap(detections: Detections, one_pass: Pass) -> float:
    """The largest IoU of two boxes of one class among the best; 0 without boxes."""
    uncut = detections[_is_uncut(detections, one_pass)].top(BOXES_COMPARED)
    overlaps = box_iou(uncut.boxes, uncut.boxes).nan_to_num().triu(1)  # (n, n)
    return (
        float((overlaps * (uncut.labels[:, None] == uncut.labels[None])).max())
        if len(uncut)
        else 0.0
    )


def _wrongly_dropped(everything: Detections, remaining: Detections, iou: float) -> Detections:
    """The boxes that were dropped although no better one of their class overlaps them by more than
    `iou`."""
    remaining = (
        remaining[remaining.scores >= everything.scores.min()] if len(everything) else remaining
    )
    dropped = everything[~_is_among(everything, remaining)]
    is_suppressed = (
        box_iou(dropped.boxes, remaining.boxes).nan_to_num() > iou - SLACK
    )  # (dropped, kept)
    is_suppressed &= (dropped.labels[:, None] == remaining.labels[None]) & (
        remaining.scores[None] >= dropped.scores[:, None]
    )
    return dropped[~is_suppressed.any(1)]


def _without_muted(detections: Detections) -> Detections:
    """The detections without those of muted classes."""
    return detections[detections.scores > MUTED_SCORE]


def _is_uncut(detections: Detections, one_pass: Pass) -> Tensor:
    """Which boxes touch no edge of the larger image, of the image in its middle, or of the
    network's input: (n,)."""
    transform, (tall, wide) = one_pass.batch.transforms[0], one_pass.batch.pixels.shape[2:]
    middle = [
        ENLARGEMENT // 2 * side // ENLARGEMENT for side in (transform.width, transform.height)
    ]
    own = transform.to_input(
        torch.tensor([[*middle, transform.width - middle[0], transform.height - middle[1]]]).float()
    )
    canvas = torch.tensor([[0.0, 0.0, wide, tall]])
    corners = transform.to_original(torch.cat([own, canvas])).view(-1, 2)  # (corners, xy)
    lines = torch.cat(
        [corners, torch.tensor([[0.0, 0.0], [transform.width, transform.height]])]
    ).repeat(1, 2)  # (corners, 4)
    return ((detections.boxes[:, None] - lines).abs() > EDGE).flatten(1).all(1)


def _is_among(some: Detections, others: Detections) -> Tensor:
    """Which of the boxes `some` are also in `others`, with the same label: (n,)."""
    apart = torch.cdist(some.boxes, others.boxes, p=torch.inf)  # (n, m)
    return ((apart <= MAX_SHIFT) & (some.labels[:, None] == others.labels[None])).any(1)


def _best_box(detections: Detections) -> str:
    if not len(detections):
        return ""
    return (
        f"a box {[round(edge, 1) for edge in detections.boxes[0].tolist()]} with the label "
        f"{int(detections.labels[0])}"
    )
