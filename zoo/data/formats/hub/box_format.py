"""The form that boxes are in, found out from the numbers: nothing in a data set of the Hub says
it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.formats.hub.options import HubBoxFormat, HubOptions

WORDS: dict[HubBoxFormat, str] = {
    "xywh": "left, top, width, height",
    "xyxy": "left, top, right, bottom",
    "cxcywh": "centre, width, height",
}
# In the order of how usual they are: COCO's, and of fractions YOLO's.
OF_PIXELS: tuple[HubBoxFormat, ...] = ("xywh", "xyxy")
OF_FRACTIONS: tuple[HubBoxFormat, ...] = ("cxcywh", "xyxy", "xywh")
_SLACK = 1.5  # pixels that a box may leave its image, as rounding makes it
_SLACK_SHARE = 0.005  # of the image, the same
_LARGEST_FRACTION = 1.05
_SAME_AREA = 0.01
_MOST_AREAS = 0.9  # of all boxes whose area has to be as given to say something


@dataclass(frozen=True)
class BoxForm:
    """The form in which boxes are read. note: why, if it was found out, as a sentence."""

    box_format: HubBoxFormat
    fractions: bool
    note: str = ""


def form_of(
    boxes: NDArray[np.float64],
    sizes: NDArray[np.float64],
    areas: NDArray[np.float64] | None,
    options: HubOptions,
) -> BoxForm:
    """The form in which the fewest boxes are impossible, of several the usual one.

    boxes: (n, 4). sizes: (n, 2) of the image of each, NaN where it is not known. areas: (n,) as
        annotated, pixels², NaN or -1 where they are not known.
    """
    good = np.isfinite(boxes).all(axis=1)
    boxes, sizes = boxes[good], sizes[good]
    areas = None if areas is None else areas[good]
    fractions = options.fractions
    if fractions is None:
        fractions = bool(len(boxes)) and bool(np.abs(boxes).max() <= _LARGEST_FRACTION)
    candidates = OF_FRACTIONS if fractions else OF_PIXELS
    if options.box_format is not None or not len(boxes):
        return BoxForm(
            options.box_format or candidates[0], fractions, _note_on_unit(options, fractions)
        )
    sizes = np.ones_like(sizes) if fractions else sizes
    wrong = {form: _impossible(boxes, sizes, form, fractions) for form in candidates}
    if not fractions and areas is not None:
        for form in candidates:
            wrong[form] |= _too_small(boxes, areas, form)
    counts = {form: int(rows.sum()) for form, rows in wrong.items()}
    best = min(candidates, key=lambda form: (counts[form], candidates.index(form)))
    rivals = [form for form in candidates if counts[form] == counts[best] and form != best]
    if rivals and not fractions and areas is not None:
        same = {form: _same_area(boxes, areas, form) for form in (best, *rivals)}
        if sum(same.values()) == 1:
            best = next(form for form, is_so in same.items() if is_so)
            return BoxForm(best, fractions, _by_area(best))
    return BoxForm(best, fractions, _note(best, rivals, counts, len(boxes), fractions))


def corners_and_sizes(
    boxes: NDArray[np.float64], form: BoxForm, sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 4) left, top, width, height in pixels. sizes: (n, 2) of the image of each."""
    xywh = boxes.copy()
    if form.box_format == "xyxy":
        xywh[:, 2:] -= boxes[:, :2]
    elif form.box_format == "cxcywh":
        xywh[:, :2] -= boxes[:, 2:] / 2
    return xywh * np.tile(sizes, 2) if form.fractions else xywh


def _impossible(
    boxes: NDArray[np.float64],
    sizes: NDArray[np.float64],
    form: HubBoxFormat,
    fractions: bool,
) -> NDArray[np.bool_]:
    """(n,) boxes that end before they begin, or leave their image."""
    xywh = corners_and_sizes(boxes, BoxForm(form, fractions=False), sizes)
    slack = _SLACK_SHARE if fractions else _SLACK
    ends = xywh[:, :2] + xywh[:, 2:]
    outside = (xywh[:, :2] < -slack) | (ends > np.nan_to_num(sizes, nan=np.inf) + slack)
    wrong: NDArray[np.bool_] = np.asarray((outside | (xywh[:, 2:] < 0)).any(axis=1))
    return wrong


def _box_areas(boxes: NDArray[np.float64], form: HubBoxFormat) -> NDArray[np.float64]:
    xywh = corners_and_sizes(boxes, BoxForm(form, fractions=False), np.ones((len(boxes), 2)))
    areas: NDArray[np.float64] = xywh[:, 2] * xywh[:, 3]
    return areas


def _too_small(
    boxes: NDArray[np.float64], areas: NDArray[np.float64], form: HubBoxFormat
) -> NDArray[np.bool_]:
    """(n,) boxes that are smaller than the area of what is in them."""
    box_areas = _box_areas(boxes, form)
    small: NDArray[np.bool_] = np.nan_to_num(areas, nan=-1) > box_areas * (1 + _SAME_AREA) + 2
    return small


def _same_area(boxes: NDArray[np.float64], areas: NDArray[np.float64], form: HubBoxFormat) -> bool:
    """Whether nearly all areas are those of the boxes."""
    box_areas = _box_areas(boxes, form)
    same = np.abs(box_areas - areas) <= np.abs(areas) * _SAME_AREA + 1
    return bool(same.mean() >= _MOST_AREAS)


def _note_on_unit(options: HubOptions, fractions: bool) -> str:
    """A note where the form was named and the unit was not."""
    if options.box_format is None or options.fractions is not None or not fractions:
        return ""
    return "Boxes are read as fractions of the image: no number in them is above 1."


def _by_area(best: HubBoxFormat) -> str:
    return f"Boxes are read as {WORDS[best]}: their areas are as annotated so."


def _note(
    best: HubBoxFormat,
    rivals: list[HubBoxFormat],
    counts: dict[HubBoxFormat, int],
    total: int,
    fractions: bool,
) -> str:
    unit = " in fractions of the image" if fractions else ""
    read = f"Boxes are read as {WORDS[best]}{unit}"
    if rivals:
        other = rivals[0]
        return (
            f"{read}, which is the usual form; the numbers could be {WORDS[other]} as well: if so, "
            f"say ,box_format={other}"
        )
    other = min((form for form in counts if form != best), key=lambda form: counts[form])
    rest = f", and {counts[best]:,} so" if counts[best] else ""
    return f"{read}: as {WORDS[other]}, {counts[other]:,} of {total:,} would be impossible{rest}."
