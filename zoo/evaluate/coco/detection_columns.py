"""Boxes, scores and labels of many images as three joined columns, from lists, arrays or
tensors."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.columns import plain
from zoo.errors import DataError
from zoo.text import type_name

COLUMNS = ("boxes", "scores", "labels")


_ITEMS, _ATTRIBUTES, _SHAPE = itemgetter(*COLUMNS), attrgetter(*COLUMNS), attrgetter("shape")


def columns_of_one_kind(listed: Sequence[Any]) -> tuple[list[int], list[NDArray[Any]]] | None:
    """How many detections each image has, and their joined columns, where all images hold arrays or
    tensors of one type.

    This is the short way for what mostly comes; None for everything else, and for whatever is
    wrong.
    """
    kinds = set(map(type, listed))
    if len(kinds) != 1:
        return None
    getters = map(itemgetter, COLUMNS) if kinds == {dict} else map(attrgetter, COLUMNS)
    try:
        columns = [list(map(get, listed)) for get in getters]
        of = {type_name for column in columns for type_name in set(map(type, column))}
        if of == {np.ndarray}:
            size: Any = attrgetter("size")
        elif "torch" in sys.modules and of == {sys.modules["torch"].Tensor}:
            size = sys.modules["torch"].Tensor.numel
        else:
            return None
        sizes = [list(map(size, column)) for column in columns]
        types = [set(map(attrgetter("dtype"), column)) for column in columns]
        counts = sizes[1]
        if sizes[2] != counts or sizes[0] != [4 * count for count in counts] or not any(counts):
            return None
        if any(len(dtypes) > 1 or not _numeric(*dtypes) for dtypes in types):
            return None
        joined = list(map(_joined, columns))
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):
        return None
    total = sum(counts)
    return (
        (counts, joined)
        if [column.shape for column in joined] == [(total, 4), (total,), (total,)]
        else None
    )


def columns_one_by_one(
    listed: Sequence[Any], image_ids: Sequence[Any]
) -> tuple[list[int], list[NDArray[Any]]]:
    """The same for images of any kind, each looked at alone. Raises: DataError naming the image."""
    shaped = [
        _columns_of(entry, image_id) for entry, image_id in zip(listed, image_ids, strict=True)
    ]
    columns, shapes = (
        [of_image for of_image, _ in shaped],
        [of_image for _, of_image in shaped],
    )
    counts = [scores[0] if len(scores) == 1 else -1 for _, scores, _ in shapes]
    for row, ((boxes, _, labels), count) in enumerate(zip(shapes, counts, strict=True)):
        if count < 0 or labels != (count,) or (boxes != (count, 4) and count):
            failure = (
                f"Boxes, scores and labels have the shapes "
                f"{', '.join(str(tuple(shape)) for shape in shapes[row])}."
            )
            raise image_error(
                image_ids[row],
                failure,
                "Give every detection a box of four numbers, a score and a label.",
            )
    numbers = _numbers(columns, counts, image_ids)
    full = [columns for columns, count in zip(numbers, counts, strict=True) if count]
    return counts, [_joined([columns[column] for columns in full]) for column in range(3)]


def _columns_of(entry: Any, image_id: Any) -> tuple[Sequence[Any], list[Any]]:
    """Boxes, scores and labels of one image, as arrays or tensors, and their shapes."""
    try:
        columns = _ITEMS(entry) if isinstance(entry, Mapping) else _ATTRIBUTES(entry)
        return columns, list(map(_SHAPE, columns))
    except (KeyError, AttributeError):  # lists of numbers, or something that lacks a column
        arrays = _arrays(entry, image_id)
        return arrays, list(map(_SHAPE, arrays))


def _arrays(entry: Any, image_id: Any) -> list[NDArray[Any]]:
    columns = [
        entry.get(name) if isinstance(entry, Mapping) else getattr(entry, name, None)
        for name in COLUMNS
    ]
    if missing := [name for name, column in zip(COLUMNS, columns, strict=True) if column is None]:
        case = f"They are {type_name(entry)} without {', '.join(missing)}."
        raise image_error(
            image_id,
            case,
            "Pass `zoo.Detections`, or a mapping with boxes (n, 4), scores (n,) and labels (n,).",
        )
    try:
        return [plain(column) for column in columns]
    except ValueError:  # what numpy says of rows of several lengths
        fix = "Give every detection a box of four numbers, a score and a label."
        raise image_error(image_id, "The rows of a column have several lengths.", fix) from None


def unpad(batch: Mapping[str, Any], image_ids: Sequence[Any]) -> list[Mapping[str, Any]]:
    images: list[Mapping[str, Any]] = []
    for row, image_id in enumerate(image_ids):
        of_image, real = {column: batch[column][row] for column in COLUMNS}, batch["counts"][row]
        room = min(
            len(values) if hasattr(values, "__len__") else -1 for values in of_image.values()
        )
        number = real.tolist() if hasattr(real, "tolist") else real
        is_whole = (
            isinstance(number, int | float)
            and not isinstance(number, bool)
            and float(number).is_integer()
        )
        if not (is_whole and 0 <= number <= room):
            case = f"Its `counts` is {number!r}, and its padded rows are {room}."
            raise image_error(
                image_id, case, "Say how many of its rows are real, a whole number from 0."
            )
        images.append({column: values[: int(number)] for column, values in of_image.items()})
    return images


def _joined(parts: list[Any]) -> NDArray[Any]:
    """One array of many; tensors are joined where they are, so that a GPU's travel once."""
    if not parts:
        return np.zeros(0, np.float32)
    if not all(
        type_name.__module__.startswith("torch") for type_name in {type(part) for part in parts}
    ):
        return np.concatenate([plain(part) for part in parts])
    torch = sys.modules["torch"]  # whoever made the tensors has imported it
    if len({part.device for part in parts}) > 1:
        parts = [part.cpu() for part in parts]
    tensor = torch.cat(parts).detach()
    if tensor.dtype in (torch.bfloat16, torch.float16):
        tensor = tensor.float()
    joined: NDArray[Any] = tensor.cpu().numpy()
    return joined


def _numbers(
    columns: Sequence[Sequence[Any]], counts: Sequence[int], image_ids: Sequence[Any]
) -> Sequence[Sequence[Any]]:
    """The same columns, those of objects (pandas, numpy) as the numbers they hold.

    Raises: DataError naming the first image whose numbers are none.
    """
    if all(map(_numeric, {_dtype(column) for of_image in columns for column in of_image})):
        return columns
    columns = [
        [values if _numeric(_dtype(values)) else plain(values) for values in of_image]
        for of_image in columns
    ]
    for place, name in enumerate(COLUMNS):
        for column, count, image_id in zip(columns, counts, image_ids, strict=True):
            if count and not _numeric(column[place].dtype):
                fix = f"Pass {name} as an array of numbers."
                if name == "labels":
                    fix = (
                        "Pass positions in the label space, whole numbers; "
                        "`label_space.label(name)` is "
                        "the position of a class."
                    )
                raise image_error(
                    image_id, f"Its {name} are {column[place].dtype}, no numbers.", fix
                )
    return columns


def _dtype(column: Any) -> Any:
    """Of a frame None: it has one for each of its columns."""
    return getattr(column, "dtype", None)


def _numeric(dtype: Any) -> bool:
    """Whether a type of numpy's or torch's is one of whole or floating numbers."""
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iuf"
    return type(dtype).__module__ == "torch" and not any(
        other in str(dtype) for other in ("bool", "complex")
    )


def image_error(image_id: Any, case: str, fix: str) -> DataError:
    return DataError(f"Detections of image {image_id!r} were handed over.", case, fix)
