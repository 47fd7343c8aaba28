"""Detections of one detector in one image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from zoo import boxes
from zoo.detections import convert
from zoo.detections.check import (
    Picked,
    Region,
    check,
    number,
    region_of,
    rows_of,
    size_of,
    source_of,
    whole_number,
)
from zoo.detections.columns import Floats, Labels, Rows, columns
from zoo.detections.nms import Policy, suppress
from zoo.errors import LabelError
from zoo.labels import LabelSpace, match_labels, space_of
from zoo.text import type_name

if TYPE_CHECKING:
    import pandas
    import supervision


HUGE, TINY = 1e9, 1e-9  # no image is stretched or moved by more
SCALE = "an image is stretched by a number above 0, for example scaled(0.5, 0.5)"
SHIFT = "boxes are moved by a number of pixels, for example shifted(100, 0)"


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """Boxes in one image, best first; frozen.

    boxes:  (n, 4) float32, `x1 y1 x2 y2` in absolute pixels of the original image, x1 <= x2 and
        y1 <= y2.
    scores: (n,)   float32 in [0, 1], descending.
    labels: (n,)   int64, positions in `names`.
    label_space:  the label space of the labels.
    size:   (height, width) of the image in pixels, or None if unknown.
    source: the image's file, URL or position in the list, or None.

    Raises: TypeError, ValueError or LabelError if violated; `Detections.of` coerces lists, arrays
        and class names.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    label_space: LabelSpace
    size: tuple[int, int] | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        check(self.boxes, self.scores, self.labels, self.label_space)
        object.__setattr__(self, "size", size_of(self.size))
        object.__setattr__(self, "source", source_of(self.source))

    @classmethod
    def of(
        cls,
        boxes: Rows,
        scores: Floats,
        labels: Labels,
        *,
        label_space: LabelSpace | str | Iterable[str],
        size: tuple[int, int] | None = None,
        source: str | PathLike[str] | None = None,
    ) -> Detections:
        """Detections from lists, arrays or tensors in any order and of any number type; labels may
        be class names.

        `label_space` is a label space, the name of a declared one (`"coco80"`), or a list of class
        names.
        """
        space = space_of(label_space)
        return cls(*columns(boxes, scores, labels, space), space, size, source_of(source))

    @classmethod
    def empty(
        cls,
        label_space: LabelSpace,
        *,
        size: tuple[int, int] | None = None,
        source: str | None = None,
    ) -> Detections:
        """No detections."""
        return cls(
            torch.zeros(0, 4, dtype=torch.float32),
            torch.zeros(0, dtype=torch.float32),
            torch.zeros(0, dtype=torch.int64),
            label_space,
            size,
            source,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The class names that labels point into."""
        return self.label_space.names

    @property
    def class_names(self) -> list[str]:
        """The class name of each detection."""
        return [self.label_space.names[label] for label in self.labels.tolist()]

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detections]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, keep: Picked) -> Detections:
        """The rows that a position, a slice, a mask or a list of positions picks: always a
        `Detections`, always best first.

        Masks and lists may be tensors, arrays or plain lists.

        Raises: TypeError for what picks no rows, IndexError for a row that is not there.
        """
        rows = rows_of(keep, len(self))
        picked = object.__new__(Detections)  # rows that were checked once need no second check
        picked.__dict__.update(
            vars(self), boxes=self.boxes[rows], scores=self.scores[rows], labels=self.labels[rows]
        )
        return picked

    def __repr__(self) -> str:
        where = f" in '{self.source}'" if self.source is not None else ""
        size = f" {self.size[1]}x{self.size[0]}" if self.size else ""
        best = [
            f"{name} {score:.2f}"
            for name, score in zip(self[:5].class_names, self.scores[:5].tolist(), strict=True)
        ]
        best += [f"… {len(self) - 5} more"] if len(self) > 5 else []
        return f"Detections({len(self)}{where}{size}{': ' if best else ''}{', '.join(best)})"

    def equals(self, other: Detections, *, tolerance: float = 0.0) -> bool:
        """Whether both saw the same in the same order, in an image of the same size; where it came
        from does not matter.

        `tolerance` is what a coordinate, in pixels, or a score may differ by.
        """
        if not isinstance(other, Detections):
            raise TypeError(
                f"equals() was given {type_name(other)}: it compares Detections with Detections"
            )
        tolerance = number(
            tolerance, to="equals(tolerance=...)", rule="what may differ is at least 0", least=0
        )
        if (len(self), self.size, self.label_space) != (len(other), other.size, other.label_space):
            return False
        near = (
            torch.allclose(a, b, rtol=0, atol=tolerance)
            for a, b in ((self.boxes, other.boxes), (self.scores, other.scores))
        )
        return torch.equal(self.labels, other.labels) and all(near)

    def above(self, score: float) -> Detections:
        """Those with at least that score, from 0 to 1."""
        floor = number(
            score,
            to="above()",
            rule="a score lies between 0 and 1, for example above(0.5)",
            least=0,
            most=1,
        )
        return self[self.scores >= floor]

    def top(self, count: int) -> Detections:
        """The `count` highest-scoring detections."""
        return self[
            : whole_number(
                count,
                to="top()",
                rule="a number of detections, at least 0, for example top(10)",
                least=0,
            )
        ]

    def of_classes(self, *names: str) -> Detections:
        """Those of the named classes, as in `of_classes("person", "dog")`.

        Raises: LabelError with the near names, for a name that the label space does not have.
        """
        for listed in (
            name for name in names if isinstance(name, Iterable) and not isinstance(name, str)
        ):
            raise LabelError(
                f"Detections can't be selected by the classes {listed}.",
                f"Classes are named one by one, and that is {type_name(listed)}.",
                "Take the list apart with a star: of_classes(*names).",
            )
        labels = torch.tensor([self.label_space.label(name) for name in names], dtype=torch.int64)
        return self[torch.isin(self.labels, labels)]

    def inside(self, region: Region, *, fraction: float = 1.0) -> Detections:
        """Those whose box lies in the region `(x1, y1, x2, y2)`, with at least that fraction of its
        area."""
        region = region_of(region)
        meaning = "a part of the box's area lies between 0 and 1, for example fraction=0.5"
        fraction = number(fraction, to="inside(fraction=...)", rule=meaning, least=0, most=1)
        full = self.boxes.double()
        part = boxes.clip_to_region(full, region)
        touches = (part[:, :2] <= full[:, 2:]).all(1) & (part[:, 2:] >= full[:, :2]).all(
            1
        )  # a box may have no area
        return self[touches & (boxes.area(part) >= fraction * boxes.area(full))]

    def larger_than(self, pixels: float) -> Detections:
        """Detections whose area exceeds `area` square pixels; COCO's small ends at 32², its medium
        at 96²."""
        floor = number(
            pixels,
            to="larger_than()",
            rule="an area in square pixels, at least 0, for example 32**2",
            least=0,
        )
        return self[boxes.area(self.boxes) > floor]

    def suppress(
        self,
        policy: Policy = "nms",
        *,
        iou: float = 0.5,
        class_agnostic: bool = False,
        sigma: float = 0.5,
        floor: float = 0.001,
        models: int = 1,
    ) -> Detections:
        """Overlapping boxes settled, within each class unless `class_agnostic`.

        policy: `nms` drops a box that overlaps a better one by more than `iou`; `soft` lowers its
                score by a Gaussian of width `sigma`, `soft-linear` by the overlap from `iou` on,
                and both drop what falls below `floor`; `fuse` replaces boxes that overlap by more
                than `iou` with their mean, and trusts one that not all `models` found accordingly
                less.

        Raises: ValueError for an unknown policy or a setting out of range.
        """
        rows = self.boxes, self.scores, self.labels
        columns = suppress(
            rows,
            policy,
            iou=iou,
            class_agnostic=class_agnostic,
            sigma=sigma,
            floor=floor,
            models=models,
        )
        return Detections(*columns, self.label_space, self.size, self.source)

    def scaled(self, x: float, y: float) -> Detections:
        """Detections in the same image, stretched by `x` in width and `y` in height."""
        x, y = (number(side, to="scaled()", rule=SCALE, least=TINY, most=HUGE) for side in (x, y))
        size = (
            (max(1, round(self.size[0] * y)), max(1, round(self.size[1] * x)))
            if self.size
            else None
        )
        return replace(self, boxes=boxes.scale(self.boxes, x=x, y=y), size=size)

    def shifted(self, dx: float, dy: float, *, size: tuple[int, int] | None = None) -> Detections:
        """Moved to the right and downwards: from a tile at `(dx, dy)` into the whole image, of
        that size if known."""
        dx, dy = (
            number(step, to="shifted()", rule=SHIFT, least=-HUGE, most=HUGE) for step in (dx, dy)
        )
        return replace(self, boxes=boxes.shift(self.boxes, dx=dx, dy=dy), size=size)

    def relabel(
        self,
        label_space: LabelSpace | str | Iterable[str],
        *,
        unknown: Literal["raise", "drop"] = "raise",
    ) -> Detections:
        """The same in another label space, class by class name, as `zoo.labels.meet` pairs them.

        Raises: LabelError where a class was seen that the other space does not have, unless
            `unknown="drop"`.
        """
        if unknown not in ("raise", "drop"):
            raise ValueError(
                f"unknown={unknown!r}: 'raise' refuses a class that the other space lacks, 'drop' "
                f"drops it"
            )
        meeting = match_labels(self.label_space, space_of(label_space))
        met = torch.tensor(
            [meeting.data_label.get(label, -1) for label in range(len(self.label_space))]
        )  # (classes,)
        labels = met[self.labels]  # (n,)
        homeless = sorted({self.names[label] for label in self.labels[labels < 0].tolist()})
        if homeless and unknown == "raise":
            raise LabelError(
                f"Detections can't be relabelled from '{self.label_space.title}' to "
                f"'{meeting.data.title}'.",
                f"There, no class is called {', '.join(homeless)}.",
                'Leave them out with unknown="drop", or pick classes first with of_classes(...).',
            )
        return replace(self[labels >= 0], labels=labels[labels >= 0], label_space=meeting.data)

    def to_coco(
        self, image_id: int, *, label_space: LabelSpace | None = None
    ) -> list[convert.coco.CocoResult]:
        """COCO results of this image; several images' lists are joined with `+`.

        label_space: the label space of the annotations, such as `dataset.space`: its category ids
            are written, classes meet by name, and detections of classes that it does not have are
            left out. Without it the ids are those of the model's own space.
        Raises: TypeError for an image id that is not a whole number.
        """
        return convert.coco.write(self, image_id, label_space)

    @classmethod
    def from_coco(
        cls,
        results: Iterable[Mapping[str, object]],
        *,
        label_space: LabelSpace | str,
        size: tuple[int, int] | None = None,
        source: str | None = None,
    ) -> Detections:
        """The results of one image, in any order. Raises: ValueError or LabelError for entries
        that don't fit."""
        space = space_of(label_space)
        return cls.of(
            *convert.coco.read(results, space), label_space=space, size=size, source=source
        )

    def to_json(self) -> convert.json.JsonImage:
        """A dict for `json.dump`: `file`, `width`, `height`, and `detections`, each `{box, score,
        label, name}`; exact."""
        return convert.json.write(self)

    @classmethod
    def from_json(
        cls, written: Mapping[str, object], *, label_space: LabelSpace | str | Iterable[str]
    ) -> Detections:
        """Reads what `to_json` wrote, after `json.load`. Raises: ValueError or LabelError for a
        record that doesn't fit."""
        space = space_of(label_space)
        rows, size, source = convert.json.read(written, space)
        return cls.of(*rows, label_space=space, size=size, source=source)

    def to_pandas(self) -> pandas.DataFrame:
        """A table, a row a detection. Raises: MissingExtra where pandas is not installed."""
        return convert.pandas.write(self)

    def to_supervision(self) -> supervision.Detections:
        """Converts to `supervision.Detections`. Raises: MissingExtra where it is not
        installed."""
        return convert.supervision.write(self)

    @classmethod
    def from_supervision(
        cls,
        theirs: supervision.Detections,
        *,
        label_space: LabelSpace | str | Iterable[str],
        size: tuple[int, int] | None = None,
        source: str | None = None,
    ) -> Detections:
        """Converts supervision's detections. Raises: ValueError where scores or classes are
        missing."""
        return cls.of(
            *convert.supervision.read(theirs), label_space=label_space, size=size, source=source
        )
