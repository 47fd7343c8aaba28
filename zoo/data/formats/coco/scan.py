"""Plain COCO files straight into columns, by the compiled kernel; what is unusual is left to the
careful reader (`records`)."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.kernel_library import address, library, structure
from zoo.environment import cores

Arrays = dict[str, NDArray[Any]]

# bytes of a record, as in coco.c: there is room for as many records as could be there, and few of
# its pages are used
_LEAST = 48
_Results = structure("_Results", "*text length room *images *categories *count *boxes *scores")
_Instances = structure(
    "_Instances",
    "*text length room *image_ids *names *name_lengths *widths *heights *ids *images *categories "
    "*boxes *areas *crowd *found",
)


@cache
def kernel_or_none() -> ctypes.CDLL | None:
    try:
        return library()
    except OSError:  # who measures is told so by zoo.evaluate.coco.backend
        return None


def results(content: memoryview) -> Arrays | None:
    """A results list as columns `images`, `categories`, `boxes` (n, 4), `scores`; None where it is
    unusual.

    content: the bytes of the file.
    """
    room = len(content) // _LEAST + 2
    columns = _whole(room, "images", "categories") | {
        "boxes": np.empty((room, 4)),
        "scores": np.empty(room),
    }
    count = np.zeros(1, np.int64)
    if not _read("read_results", _Results, content, room, columns | {"count": count}):
        return None
    return {name: values[: int(count[0])] for name, values in columns.items()}


def instances(content: memoryview) -> tuple[Arrays, Arrays, slice] | None:
    """The columns of the images and of the annotations in an `instances.json`, and where its
    categories are.

    Images have `image_ids`, `names` and `name_lengths` (where their file names are; -1 is none),
    `widths` and `heights` (0 is unknown); annotations have `ids`, `images`, `categories`, `boxes`
    (n, 4), `areas` (NaN is unknown), `crowd`. None where the file is unusual.
    """
    room = len(content) // _LEAST + 2
    images = _whole(room, "image_ids", "names", "name_lengths", "widths", "heights")
    boxes = _whole(room, "ids", "images", "categories")
    boxes |= {
        "boxes": np.empty((room, 4)),
        "areas": np.empty(room),
        "crowd": np.empty(room, np.uint8),
    }
    counts = np.zeros(4, np.int64)
    if not _read("read_instances", _Instances, content, room, images | boxes | {"found": counts}):
        return None
    image_count, box_count, first, last = counts.tolist()
    of_images = {name: values[:image_count] for name, values in images.items()}
    return (
        of_images,
        {name: values[:box_count] for name, values in boxes.items()},
        slice(first, last),
    )


def _whole(room: int, *names: str) -> Arrays:
    return {name: np.empty(room, np.int64) for name in names}


def _read(
    function: str,
    kind: type[ctypes.Structure],
    content: memoryview,
    room: int,
    columns: Mapping[str, NDArray[Any]],
) -> bool:
    """Whether the kernel is there, and has read all of it."""
    kernel = kernel_or_none()
    if kernel is None:
        return False
    filled = {name: address(values) for name, values in columns.items()}
    held = np.frombuffer(content, np.uint8)
    into = kind(text=address(held), length=len(content), room=room, **filled)
    return bool(kernel[function](ctypes.byref(into), ctypes.c_int(cores())) == 0)
