"""Annotated boxes of a whole data set as flat arrays, checked once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.data.columns import areas, columns_of, flags, identities, plain, wholes
from zoo.data.ragged import starts_of
from zoo.data.values import whole
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.suggest import check_choice
from zoo.text import pluralize

_SPARSE = 16  # ids a table may have room for, of each that is there
_FEW = 512  # ids of a batch, which are looked up without more ado
MOST = 1e30  # no picture is so large; far beyond it an area would overflow
BoxFormat = Literal["xyxy", "xywh"]
_DTYPES = {
    "images": np.int32,
    "labels": np.int32,
    "xywh": np.float64,
    "areas": np.float64,
    "crowd": np.bool_,
    "ids": np.int64,
}
_COLUMNS = ("image", "label", "box", "area", "crowd", "id")


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What is really in the pictures of one data set; made by `GroundTruth.of` or `coco.read`.

    image_ids: (m,) int64 or str, ascending: equal scores are ordered by it.
    label_space:     the label space of the labels; its ids are the data set's category ids.
    images:    (n,) int32, the picture each box is in, as a row of `image_ids`; ascending, then by label, then as given.
    labels:    (n,) int32, positions in `label_space.names`.
    xywh:      (n, 4) float64, left, top, width, height in pixels: the annotation's own numbers, because converting them to
               corners and back would move an IoU in its last bit.
    areas:     (n,) float64, pixels²; the mask's where there is one.
    crowd:     (n,) bool, boxes around a group, which any number of detections may match without gain or loss.
    ids:       (n,) int64, annotation ids.
    image_attributes, box_attributes: name -> (m,) or (n,) values, to slice by.
    name:      what the data set is called in messages.
    no_area:   how many areas are the boxes' own because a file has none; `Policy(missing_area="refuse")` refuses them.
    """

    image_ids: NDArray[Any]
    label_space: LabelSpace
    images: NDArray[np.int32]
    labels: NDArray[np.int32]
    xywh: NDArray[np.float64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ids: NDArray[np.int64]
    image_attributes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    box_attributes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    name: str = "the data set"
    no_area: int = 0

    @classmethod
    def of(
        cls,
        images: Iterable[int] | Iterable[str] | Mapping[str, ArrayLike],
        boxes: Mapping[str, ArrayLike],
        *,
        label_space: LabelSpace | Sequence[str],
        box_format: BoxFormat = "xyxy",
        name: str = "the data set",
        no_area: int = 0,
    ) -> GroundTruth:
        """Ground truth from two tables, rows in any order.

        images: the ids of all pictures, also of those without boxes; or columns, with `id` among
            them.
        boxes:  columns `image` (ids), `label`, `box` (n, 4), and where known `area`, `crowd`, `id`.
                Areas default to the boxes', ids to 1, 2, 3 … Every other column, of either table,
                is an attribute to slice by.
        no_area: how many of the areas given were missing before, and are the boxes' own.
        Columns are lists, arrays, tensors or those of a data frame. Whole numbers may be written as
        3.0 or "3"; nothing (None, NaN) and -1 are an area, an id or a crowd that nobody knows. The
        number 12 and the text "12" are one image id.
        Raises: DataError naming the first record that is wrong; UsageError for a format of boxes
            that there is not.
        """
        check_choice("box_format", box_format, get_args(BoxFormat))
        label_space = (
            label_space if isinstance(label_space, LabelSpace) else LabelSpace.custom(label_space)
        )
        columns = columns_of(images)
        about = {"id": _ids(images, name)} if columns is None else _table(columns, name)
        table = _table(columns_of(boxes) or {}, name)
        _check_columns(table, about, name)
        given = about["id"]
        by_id = np.argsort(given, kind="stable")
        image_ids = _unique(given[by_id], name)
        _check_corners(table, box_format, name)
        box = _xywh(table["box"], box_format)
        rows = rows_of_ids(image_ids, table["image"], name)
        table, unknown = _meant(table, box, name)
        _check_records(table, box, len(label_space), name)
        order = _by_image_and_label(rows, table["label"], len(image_ids) * len(label_space))
        return cls(
            image_ids=image_ids,
            label_space=label_space,
            images=rows[order].astype(np.int32),
            labels=np.clip(table["label"], -1, len(label_space))[order].astype(np.int32),
            xywh=box[order],
            areas=table["area"][order],
            crowd=table["crowd"][order],
            ids=table["id"][order],
            image_attributes={key: value[by_id] for key, value in about.items() if key != "id"},
            box_attributes={
                key: value[order] for key, value in table.items() if key not in _COLUMNS
            },
            name=name,
            no_area=no_area + unknown,
        )

    def __post_init__(self) -> None:
        for column, dtype in _DTYPES.items():
            object.__setattr__(self, column, np.ascontiguousarray(getattr(self, column), dtype))
        self._check()

    def __len__(self) -> int:
        return len(self.image_ids)

    def __repr__(self) -> str:
        sizes = (
            pluralize(len(self), "image"),
            pluralize(len(self.labels), "box", "boxes"),
            pluralize(len(self.label_space), "class", "classes"),
        )
        return f"GroundTruth({self.name}: {', '.join(sizes)})"

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(m + 1,) the first box of each picture, and the end."""
        return starts_of(np.bincount(self.images, minlength=len(self)))

    @cached_property
    def sha256(self) -> str:
        """A fingerprint of everything that can move a number, as 64 hex digits."""
        digest = hashlib.sha256(repr((self.label_space.names, self.image_ids.dtype.str)).encode())
        for column in (
            self.image_ids,
            self.images,
            self.labels,
            self.xywh,
            self.areas,
            self.crowd,
            self.ids,
        ):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def _check(self) -> None:
        """Raises: DataError naming the first annotation whose numbers can't be; ValueError for
        columns that are not in order."""
        count = len(self.labels)
        shapes = [getattr(self, column).shape for column in _DTYPES]
        keys = self.images.astype(np.int64) * len(self.label_space) + self.labels
        if (
            shapes != [(count, 4) if column == "xywh" else (count,) for column in _DTYPES]
            or (np.diff(keys) < 0).any()
        ):
            raise ValueError(
                f"GroundTruth: columns of one length, by image and then label; use "
                f"GroundTruth.of, got {shapes}"
            )
        if count and not 0 <= self.images.min() <= self.images.max() < len(self):
            raise ValueError(
                f"GroundTruth: images are rows of the {len(self)} image ids; use GroundTruth.of"
            )
        columns = {
            "image": self.image_ids[self.images],
            "label": self.labels,
            "area": self.areas,
            "id": self.ids,
        }
        columns["crowd"] = self.crowd
        _check_records(columns, self.xywh, len(self.label_space), self.name)
        if len(self.label_space) > 65535:
            raise DataError(
                f"{self.name} was read.",
                f"It has {len(self.label_space)} classes.",
                "Measure at most 65,535 at a time.",
            )
        again = np.sort(self.ids)
        if (again[1:] == again[:-1]).any():
            twice = again[1:][again[1:] == again[:-1]][0]
            raise DataError(
                f"{self.name} was read.",
                f"Annotation id {twice} is there twice.",
                "Give every annotation an id of its own.",
            )


def _meant(
    table: Mapping[str, NDArray[Any]], box: NDArray[np.float64], name: str
) -> tuple[dict[str, NDArray[Any]], int]:
    """The columns with numbers for what stands for them, and how many areas nobody knows. Raises:
    DataError naming the record."""
    made = {
        "area": box[:, 2] * box[:, 3],
        "crowd": np.zeros(len(box)),
        "id": np.arange(1, len(box) + 1),
    } | dict(table)
    made["label"] = wholes(made["label"], "label", name)
    made["crowd"] = flags(made["crowd"], name)
    made["id"] = identities(made["id"], name)
    made["area"], unknown = areas(made["area"], box, name)
    return made, unknown


def _by_image_and_label(
    rows: NDArray[np.int64], labels: NDArray[np.int64], cells: int
) -> NDArray[np.int64]:
    """(n,) boxes by image, then label, then as given. cells: images times classes."""
    count = len(rows)
    if not count or cells >= 2**62 // count:
        return np.lexsort((labels, rows))
    classes = labels.max() + 1
    ordered = np.sort(
        (rows * classes + labels) * count + np.arange(count)
    )  # ten times as fast as sorting positions
    order: NDArray[np.int64] = ordered % count
    return order


def rows_of_ids(image_ids: NDArray[Any], asked: NDArray[Any], name: str) -> NDArray[np.int64]:
    """The row of each asked id in the ascending `image_ids`. Raises: DataError naming the first
    that is not there."""
    if (
        0 < len(asked) <= min(_FEW, len(image_ids))
        and asked.dtype.kind == image_ids.dtype.kind
        and asked.ndim == 1
    ):
        rows = np.minimum(np.searchsorted(image_ids, asked), len(image_ids) - 1)
        if (image_ids[rows] == asked).all():
            return rows
    rows, known = places(image_ids, asked)
    if not known.all():
        first = asked[~known][0]
        some = ", ".join(repr(one) for one in image_ids[:3].tolist())
        raise DataError(
            f"Image {first.item() if isinstance(first, np.generic) else first!r} is not in {name}.",
            f"{known.sum():,} of {pluralize(len(known), 'image')} are; its {len(image_ids)} ids "
            f"are like {some or '(none)'}.",
            "Name the data set that these are of, or use the ids of this one.",
        )
    return rows


def places(
    image_ids: NDArray[Any], asked: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The row of each asked id in the ascending `image_ids`, and whether it is there. A number and
    its text are one id."""
    asked = asked if len(asked) else asked.astype(image_ids.dtype)
    if asked.ndim != 1 or not len(image_ids) or not len(asked):
        return np.zeros(len(asked), np.int64), np.zeros(len(asked), bool)
    changes = asked[1:] != asked[:-1]  # results come image by image: each is looked up once
    first = np.flatnonzero(np.concatenate([[True], changes]))
    ids, fits = _alike(asked[first], image_ids.dtype.kind)
    rows = _rows(image_ids, ids)
    known = fits & (image_ids[rows] == ids)
    counts = np.diff(first, append=len(asked))
    return np.repeat(rows, counts), np.repeat(known, counts)


def _rows(image_ids: NDArray[Any], asked: NDArray[Any]) -> NDArray[np.int64]:
    """Where each asked id is among the ascending `image_ids`, or some row where it is not there."""
    last = len(image_ids) - 1
    if image_ids.dtype.kind != "U" and len(asked) > last:
        span = int(image_ids[-1]) - int(image_ids[0])
        if span <= _SPARSE * last:  # a table, ten times as fast
            table = np.zeros(span + 1, np.int64)
            table[image_ids - image_ids[0]] = np.arange(last + 1)
            near = np.clip(asked, image_ids[0], image_ids[-1])
            found: NDArray[np.int64] = table[near - image_ids[0]]
            return found
    return np.minimum(np.searchsorted(image_ids, asked), last)


def _alike(asked: NDArray[Any], kind: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Ids as numbers or as text, as those of the data set are, and which of them can be."""
    fits = np.ones(len(asked), bool)
    if asked.dtype.kind == kind:
        return asked, fits
    meant = [whole(value) for value in asked.tolist()]
    fits = np.array([value is not None for value in meant], bool)
    if kind == "U":
        return np.array([str(value) for value in meant], np.str_), fits
    return np.array([value or 0 for value in meant], np.int64), fits


def _check_corners(table: Mapping[str, NDArray[Any]], box_format: BoxFormat, name: str) -> None:
    """Raises: DataError for corners in the wrong order, which are mostly sizes."""
    boxes = table["box"]
    wrong = (
        np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(1)).tolist()
        if box_format == "xyxy"
        else []
    )
    for row in wrong[:1]:
        ends = "ends before it begins" if len(wrong) == 1 else "end before they begin"
        many = f"{len(wrong):,} of {pluralize(len(boxes), 'box', 'boxes')} {ends}"
        case = (
            f"{many}, first record [{row}] of image {table['image'][row].item()!r}: "
            f"{boxes[row].tolist()}."
        )
        raise DataError(
            f"{name} was read.", case, "Are these boxes x, y, width, height? box_format='xywh'"
        )


def _check_records(
    table: Mapping[str, NDArray[Any]], xywh: NDArray[np.float64], classes: int, name: str
) -> None:
    """Raises: DataError naming the first annotation, in the order given, whose numbers can't be."""
    x, y, width, height = np.ascontiguousarray(
        xywh.T
    )  # columns: rows of four take several times as long
    inside = (
        (np.abs(x) <= MOST)
        & (np.abs(y) <= MOST)
        & (np.abs(width) <= MOST)
        & (np.abs(height) <= MOST)
    )
    wrong = {
        "a label outside the label space": (table["label"] < 0) | (table["label"] >= classes),
        "a coordinate that is not finite": ~inside,
        "a negative width or height": (width < 0) | (height < 0),
        "a crowd that is neither 0 nor 1": (table["crowd"] != 0) & (table["crowd"] != 1),
        "an area that is negative or not finite": ~((table["area"] >= 0) & (table["area"] <= MOST)),
    }
    for what, rows in wrong.items():
        if rows.any():
            row = int(np.flatnonzero(rows)[0])
            raise DataError(
                f"{name} was read.",
                f"Annotation {table['id'][row]} of image {table['image'][row]}, record [{row}], "
                f"has {what}: "
                f"label {table['label'][row]}, box {xywh[row].tolist()} (x, y, width, height), "
                f"area {table['area'][row]}.",
                "Correct or remove that annotation.",
            )


def _table(columns: Mapping[str, ArrayLike], name: str) -> dict[str, NDArray[Any]]:
    """Raises: DataError naming a column whose rows are not alike."""
    return {key: _column(value, f"column '{key}'", name) for key, value in columns.items()}


def _column(values: ArrayLike, what: str, name: str) -> NDArray[Any]:
    try:
        return plain(values)
    except ValueError:  # what numpy says of rows of several lengths
        raise DataError(
            f"{name} was read.",
            f"The rows of {what} have several lengths.",
            "Give every row as many numbers as the others.",
        ) from None


def _ids(images: Iterable[int] | Iterable[str], name: str) -> NDArray[Any]:
    if isinstance(images, str) or not isinstance(images, Iterable):
        raise DataError(
            f"{name} was read.", f"Its images are {images!r}.", "List the ids of all pictures."
        )
    ids: list[Any] = list(images)
    if len({isinstance(one, str) for one in ids}) > 1:
        raise DataError(
            f"{name} was read.",
            "Some image ids are numbers and some are text.",
            "Give every image the same kind.",
        )
    given = _column(ids, "the image ids", name)
    return given if len(given) else given.astype(np.int64)


def _unique(ids: NDArray[Any], name: str) -> NDArray[Any]:
    """Image ids as int64 or str. Raises: DataError for another type, or an id that is there
    twice."""
    if ids.dtype.kind == "f":
        ids = wholes(ids, "id of the images", name)
    if ids.dtype.kind not in "iuU":
        raise DataError(
            f"{name} was read.",
            f"Its image ids are {ids.dtype}, not whole numbers or text.",
            "Give every image such an id.",
        )
    if (ids[1:] == ids[:-1]).any():
        twice = ids[1:][ids[1:] == ids[:-1]][0]
        raise DataError(
            f"{name} was read.", f"Image {twice} is listed twice.", "List every image once."
        )
    return ids if ids.dtype.kind == "U" else ids.astype(np.int64)


def _xywh(boxes: NDArray[Any], box_format: BoxFormat) -> NDArray[np.float64]:
    xywh: NDArray[np.float64] = boxes.astype(np.float64)
    if box_format == "xyxy":
        xywh[:, 2:] -= xywh[:, :2]
    return xywh


def _check_columns(
    table: dict[str, NDArray[Any]], about: dict[str, NDArray[Any]], name: str
) -> None:
    """Raises: DataError for a column that is missing, or has another length or shape than the
    rest."""
    asked = f"{name} was read."
    missing = [column for column in _COLUMNS[:3] if column not in table] + (
        ["id of the images"] if "id" not in about else []
    )
    if missing:
        raise DataError(
            asked,
            f"It has no column {', '.join(missing)}.",
            "Give the boxes' columns image, label and box.",
        )
    if "iscrowd" in table:
        raise DataError(
            asked,
            "It has a column 'iscrowd', which would be an attribute to slice by.",
            "Call it 'crowd'.",
        )
    count = len(table["label"])
    if len(table["box"]) and table["box"].dtype.kind not in "iuf":
        raise DataError(
            asked, f"Its column 'box' is {table['box'].dtype}.", "Give four numbers a box."
        )
    if count == 0:
        table["label"] = table["label"].astype(np.int64)
        table["box"] = table["box"].reshape(0, 4)
    shapes = {column: (count, 4) if column == "box" else (count,) for column in table}
    wrong = {
        column: value.shape for column, value in table.items() if value.shape != shapes[column]
    }
    wrong |= {
        column: value.shape for column, value in about.items() if value.shape != (len(about["id"]),)
    }
    if wrong:
        column, shape = next(iter(wrong.items()))
        raise DataError(
            asked,
            f"Column '{column}' is {shape}; there are {pluralize(count, 'box', 'boxes')} and "
            f"{pluralize(len(about['id']), 'image')}.",
            "Give one row a box or image.",
        )
