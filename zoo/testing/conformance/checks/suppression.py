"""Suppression does what it says and nothing else: it has enough boxes to choose from, and drops
what overlaps, within a class."""

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
from zoo.testing.conformance.checks.classes import BELIEVED, muted
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.free_outputs import tensors
from zoo.testing.conformance.images import Pass, scene
from zoo.testing.conformance.raised import Rise, raised_pass

IOUS = 0.1, 0.3, 0.6, 0.9
MANY = 10_000
MOST = 500  # of the best, which only better ones can suppress
FEW = 8, 50
SEEDS = 0, 1, 3  # of scenes
SLACK = 1e-3  # of an IoU, for boxes that were scaled
SAME = 1e-2  # pixels
AMID = 9
# pixels; a box that ends at the image's edge was cut there, which changes how much it overlaps
# others
EDGE = 0.5
RISES = (
    Rise(2.0, 0.5),
    Rise(2.0, 0.3),
    Rise(2.0, 1.0),
    Rise(1.0, 0.3),
    Rise(0.0, 0.3),
)  # until enough boxes overlap
NEAR = 0.8  # of its own iou
TELLING = 5  # boxes: too many for chance
SPARE = 4  # outputs may hold several times the numbers that its boxes and classes take


def check_iou_obeyed(detector: Detector) -> None:
    """No two boxes of a class overlap by more than `iou`, from 0.1 to 0.9, but for boxes that the
    image's edge cuts."""
    with _looking(detector) as look:
        for iou in IOUS:
            for detections in look.decoded(_everything(iou)):
                worst = _worst(detections, look)
                require(
                    worst <= iou + SLACK,
                    f"With iou={iou} two boxes of one class overlap by {worst:.3f}.",
                )


def check_iou_is_the_callers(detector: Detector) -> None:
    """The caller's `iou` counts above the detector's own and below it, not the nearer of the two.

    At 1 some boxes of a class overlap by more than its own, at half of its own none by more than
    that; of boxes that no edge cuts. The outputs of its last layers are raised until enough
    overlap. Where none do, it is a fault if boxes are missing at 1, and others overlap by nearly
    its own.
    """
    own, close, most = _own_iou(detector), 0, 0.0
    counts: list[int] = []
    for rise in RISES:
        look = _wide(raised_pass(detector, [scene(seed=seed) for seed in SEEDS], rise))
        everything, fewer = look.decoded(_everything(1.0)), look.decoded(_everything(own / 2))
        worst = max(_worst(detections, look) for detections in fewer)
        require(
            worst <= own / 2 + SLACK,
            f"With iou={own / 2:g} two boxes of one class overlap by {worst:.3f}; its own is "
            f"{own:g}.",
        )
        most = max([most, *(_worst(detections, look) for detections in everything)])
        if most > own + SLACK:
            return
        close += sum(map(len, everything)) - sum(map(len, look.decoded(_everything(NEAR * own))))
        counts += map(len, everything)
    missing = max(counts) * len(counts) - sum(counts)
    if min(close, missing) < TELLING:
        raise NotApplicable(
            "Of its boxes of one class too few overlap to tell; a larger input may have more."
        )
    require(
        False,
        f"With iou=1 no two boxes of one class overlap by more than {most:.3f}; its own iou is "
        f"{own:g}.",
    )


def check_only_overlaps_suppressed(detector: Detector) -> None:
    """A box is dropped only where a better one of its class that is kept overlaps it by more than
    `iou`: 0.1 to 0.9.

    Held against what is returned at `iou=1`; of boxes that no edge of the image has cut.
    """
    with _looking(detector) as look:
        everything = look.decoded(_everything(1.0))
        for iou in IOUS:
            for detections, kept in zip(everything, look.decoded(_everything(iou)), strict=True):
                lost = _lost(detections[_whole(detections, look)].top(MOST), kept, iou)
                case = (
                    f"With iou={iou}, {len(lost)} of {len(detections)} boxes are gone that no "
                    f"better box of their class overlaps so much"
                )
                require(not len(lost), f"{case}, the best of them {_shown(lost)}.")


def check_best_of_what_is_kept(detector: Detector) -> None:
    """With a smaller `max_boxes`, 8 or 50, it returns the best 8 or 50 of those kept with a
    large one."""
    with _looking(detector) as look:
        everything = _everything(IOUS[0])
        kept = [_believed(many) for many in look.decoded(everything)]
        for most in FEW:
            for detections, many in zip(
                look.decoded(replace(everything, max_boxes=most)), kept, strict=True
            ):
                few = _believed(detections)
                case = f"With iou={IOUS[0]} and max_boxes={most} it returns {len(few)} boxes"
                same = few.equals(many.top(most), tolerance=1e-4)
                require(
                    same, f"{case}, and not the best {min(most, len(many))} of those that it keeps."
                )


def check_max_boxes_is_the_callers(detector: Detector) -> None:
    """With a `max_boxes` larger than its own, all that it keeps at `iou=0.1` is among what it
    returns at `iou=1`.

    Where something else cuts the list, boxes that the smaller `iou` drops make room for others.
    """
    with _looking(detector) as look:
        everything, kept = (look.decoded(_everything(iou)) for iou in (1.0, IOUS[0]))
        for detections, few in zip(map(_believed, everything), map(_believed, kept), strict=True):
            more = int((~_among(few, detections)).sum())
            case = (
                f"With max_boxes={MANY} it returns {len(detections)} boxes at iou=1, and at "
                f"iou={IOUS[0]} {more} others"
            )
            require(
                not more,
                f"{case}: a smaller number of boxes cuts the list. Its own max_boxes is "
                f"{detector.defaults.max_boxes}.",
            )


def check_many_boxes_returned(detector: Detector) -> None:
    """At `iou=1`, `score=0` and a large `max_boxes` it returns as many boxes as its own
    `max_boxes`, and more than those.

    In the image in which it sees the most. Fewer where the network's outputs are too small for
    that: at least a quarter of its numbers are taken for boxes and classes.
    """
    with _looking(detector) as look:
        own = detector.defaults.max_boxes
        least = _outputs(look, len(detector.label_space))
        most = max(len(detections) for detections in look.decoded(_everything(1.0)))
        case = f"At score=0 and iou=1, with max_boxes={MANY}, it returns {most} boxes"
        require(
            most >= min(own, least),
            f"{case}; its own max_boxes is {own}, and its outputs are of more than {least}.",
        )
        require(
            most != own or least <= own,
            f"{case}, as its own max_boxes; its outputs are of more than {least}.",
        )


def _outputs(look: Pass, classes: int) -> int:
    """How many boxes the outputs surely have for an image; no more than it has rows of four
    numbers."""
    outputs, images = tensors(look.outputs), len(look.batch)
    numbers = sum(output.numel() for output in outputs) / images / (5 + classes) / SPARE
    rows = [
        output.numel() / 4 / images for output in outputs if output.ndim and output.shape[-1] == 4
    ]
    return int(min([numbers, *rows]))


@contextmanager
def _looking(detector: Detector) -> Iterator[Pass]:
    """A look at some scenes, by a network that sees two classes where its classes can be silenced:
    then their boxes overlap more.

    Raises: NotApplicable where nothing is suppressed.
    """
    _own_iou(detector)
    with ExitStack() as until:
        with suppress(NotApplicable):
            until.enter_context(
                muted(detector, range(2, len(detector.label_space)), background=True)
            )
        yield _wide(Pass.at(detector, [scene(seed=seed) for seed in SEEDS]))


def _own_iou(detector: Detector) -> float:
    """At which it suppresses by itself. Raises: NotApplicable where it suppresses nothing."""
    own = detector.defaults.iou
    if own is None or own == 1:
        raise NotApplicable("It suppresses nothing: its own iou is 1.")
    return own


def _wide(look: Pass) -> Pass:
    """The same look, each image in the middle of a larger one."""
    return replace(
        look,
        batch=replace(
            look.batch, transforms=tuple(_amid(place) for place in look.batch.transforms)
        ),
    )


def _amid(place: InputTransform) -> InputTransform:
    """The image as the middle of one that is nine times as high and wide, whose edges cut fewer
    boxes."""
    top, left = (
        AMID // 2 * side for side in (place.height * place.scale_y, place.width * place.scale_x)
    )
    larger = replace(place, height=AMID * place.height, width=AMID * place.width)
    return replace(larger, top=place.top - top, left=place.left - left)


def _everything(iou: float) -> Protocol:
    return Protocol(score=0.0, iou=iou, max_boxes=MANY)


def _worst(detections: Detections, look: Pass) -> float:
    """The largest overlap of two whole boxes of one class, among the best."""
    whole = detections[_whole(detections, look)].top(MOST)
    overlaps = box_iou(whole.boxes, whole.boxes).nan_to_num().triu(1)  # (n, n)
    return (
        float((overlaps * (whole.labels[:, None] == whole.labels[None])).max())
        if len(whole)
        else 0.0
    )


def _lost(everything: Detections, kept: Detections, iou: float) -> Detections:
    """The boxes that were dropped without a better one of their class that overlaps them by
    more."""
    kept = kept[kept.scores >= everything.scores.min()] if len(everything) else kept
    dropped = everything[~_among(everything, kept)]
    beaten = box_iou(dropped.boxes, kept.boxes).nan_to_num() > iou - SLACK  # (dropped, kept)
    beaten &= (dropped.labels[:, None] == kept.labels[None]) & (
        kept.scores[None] >= dropped.scores[:, None]
    )
    return dropped[~beaten.any(1)]


def _believed(detections: Detections) -> Detections:
    """Without those of silenced classes."""
    return detections[detections.scores > BELIEVED]


def _whole(detections: Detections, look: Pass) -> Tensor:
    """Which boxes no edge has cut: of the larger image, of the one in its middle, or of the
    network's input: (n,)."""
    place, (tall, wide) = look.batch.transforms[0], look.batch.pixels.shape[2:]
    middle = [AMID // 2 * side // AMID for side in (place.width, place.height)]
    own = place.to_input(
        torch.tensor([[*middle, place.width - middle[0], place.height - middle[1]]]).float()
    )
    canvas = torch.tensor([[0.0, 0.0, wide, tall]])
    corners = place.to_original(torch.cat([own, canvas])).view(-1, 2)  # (corners, xy)
    lines = torch.cat([corners, torch.tensor([[0.0, 0.0], [place.width, place.height]])]).repeat(
        1, 2
    )  # (corners, 4)
    return ((detections.boxes[:, None] - lines).abs() > EDGE).flatten(1).all(1)


def _among(some: Detections, others: Detections) -> Tensor:
    """Which of them are there, the same box with the same label: (n,)."""
    apart = torch.cdist(some.boxes, others.boxes, p=torch.inf)  # (n, m)
    return ((apart <= SAME) & (some.labels[:, None] == others.labels[None])).any(1)


def _shown(lost: Detections) -> str:
    if not len(lost):
        return ""
    return (
        f"a box {[round(edge, 1) for edge in lost.boxes[0].tolist()]} with the label "
        f"{int(lost.labels[0])}"
    )
