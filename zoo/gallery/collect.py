"""A page of detections, gathered while they are made: of many images an even choice, so that
memory and file stay bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from zoo.counts import count_of
from zoo.detections import Detections
from zoo.errors import ImageError, UsageError
from zoo.gallery.jpeg import MOST_IMAGES, data_url, room
from zoo.gallery.shown import FALSE, Found, Gallery, ShownImage, part_of, score_part
from zoo.gallery.write import Written, writable_page, write

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.files import Named
    from zoo.images import Source

IMAGES = 200
MOST_BOXES = 300  # the best of an image


class Collection:
    """The images of a page, chosen while they come.

    total: how many will come; None where it is not known. most: how many of them are shown; more
        than that are thinned out evenly, to as many, or to half as many or more where `total` is
        None.
    """

    def __init__(self, total: int | None, *, most: int = IMAGES) -> None:
        check_most(most)
        self._total = total
        self._most = most if total is None else min(most, max(total, 1))
        self._stride = 1
        self._room = room(self._most)
        self._looked = 0
        self._jpegs: dict[int, str] = {}
        self._names: tuple[str, ...] = ()
        self._shown: list[ShownImage] = []
        self._unreadable: list[tuple[str, str]] = []

    def look(self, pixels: Tensor, detections: Detections) -> None:
        """Makes the JPEG of an image that is to be shown, uint8 `(3, h, w)`, while it is there."""
        if self._is_chosen(self._looked):
            self._jpegs[id(detections)] = data_url(pixels, most=self._room)
        self._looked += 1

    def _is_chosen(self, index: int) -> bool:
        if self._total is None:
            return index % self._stride == 0
        total = max(self._total, 1)
        return (index + 1) * self._most // total > index * self._most // total

    def add(self, detections: Detections, *, name: str | None = None) -> None:
        """Takes in the detections of an image, which `look` has seen before, in their order.

        name: on the page; the image's source unless given.
        """
        self._names = detections.label_space.names
        jpeg = self._jpegs.pop(id(detections), None)
        if jpeg is None or detections.size is None:
            return
        height, width = detections.size
        name = name or detections.source or f"image {len(self._shown)}"
        more = max(len(detections) - MOST_BOXES, 0)
        self._shown.append(ShownImage(name, width, height, jpeg, found_in(detections), more=more))
        if self._total is None and len(self._shown) > self._most:
            self._shown = self._shown[::2]
            self._stride *= 2

    def fail(self, error: ImageError) -> None:
        """Takes in an image that could not be read."""
        self._unreadable.append((error.file or "an image", error.case))

    def gallery(
        self, *, title: str, lowest: float = 0.0, facts: Mapping[str, str] | None = None
    ) -> Gallery:
        """The page of everything so far. lowest: the score that detections were made with."""
        total = self._looked
        chosen = "evenly spaced in the order they were given" if len(self._shown) < total else ""
        return Gallery(
            title=title,
            names=self._names,
            images=tuple(self._shown),
            score=lowest,
            lowest=lowest,
            total=total,
            chosen=chosen,
            unreadable=tuple(self._unreadable),
            facts=facts or {},
        )


def save(
    pairs: Iterable[tuple[Source, Detections]],
    to: Named,
    *,
    title: str = "Detections",
    most: int = IMAGES,
    facts: Mapping[str, str] | None = None,
) -> Written:
    """Writes a page of images and what was seen in them.

    pairs: each image in any form that `detect` takes, and its detections. most: images on the page;
        of more than that, some are left out evenly. facts: provenance, for the foot of the page.
    Raises: UsageError for a name that does not end in .html; ImageError if an image can't be read
        or the page can't be written.
    """
    from zoo.images import read  # deferred: it brings torch

    writable_page(to)
    listed = list(pairs)
    collection = Collection(len(listed), most=most)
    for source, detections in listed:
        collection.look(read(source).pixels, detections)
        collection.add(detections)
    scores = [float(detections.scores[-1]) for _, detections in listed if len(detections)]
    lowest = min(scores, default=0.0)
    return write(collection.gallery(title=title, lowest=lowest, facts=facts), to)


def check_most(most: int) -> None:
    """Raises: UsageError for a number of images that no page has."""
    if (count_of(most) or MOST_IMAGES + 1) > MOST_IMAGES:
        raise UsageError(
            f"A page can't show {most!r} images.",
            f"A page shows 1 to {MOST_IMAGES:,}, so that a browser stays quick.",
            "Pass most=200, for example.",
            fix_cli="Write --report-images 200, for example.",
        )


def found_in(detections: Detections) -> tuple[Found, ...]:
    """The best detections of an image as the page has them."""
    height, width = detections.size or (1, 1)
    rows = zip(
        detections.labels[:MOST_BOXES].tolist(),
        detections.scores[:MOST_BOXES].tolist(),
        detections.boxes[:MOST_BOXES].tolist(),
        strict=True,
    )
    return tuple(
        (label, score_part(score), *part_of(box, width, height), FALSE)
        for label, score, box in rows
    )
