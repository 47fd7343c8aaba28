"""Random data sets with images on disk, for round trips."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from zoo.data import Dataset, GroundTruth
from zoo.data.image_records import FolderRecords
from zoo.labels import LabelSpace

FLAGS = ("difficult", "truncated", "occluded")
NAMES = ("a", "Ä b", "cat.x", "7", "q/1", "q/a", "日本/ü")
CLASSES = ("cat", "Dog é", "a b & <c>", "bus")


@cache
def encoded(width: int, height: int) -> bytes:
    stream = BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return stream.getvalue()


@st.composite
def datasets(draw: st.DrawFn) -> Callable[[Path], Dataset]:
    """Any data set with at least one box, made in a folder: crowd, masks' areas, flags, own ids,
    images without boxes, unused classes, splits, and sub-pixel boxes that may leave the image."""
    files = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=5))
    names = [f"{name}{draw(st.sampled_from(['.png', '.PNG']))}" for name in files]
    ids = draw(st.sampled_from([sorted(files), list(range(7, 7 + len(files)))]))
    sizes = [(draw(st.integers(1, 60)), draw(st.integers(1, 60))) for _ in files]
    classes = draw(st.permutations(CLASSES))
    count = draw(st.integers(1, 7))
    numbers = st.one_of(st.integers(-9, 99).map(float), st.floats(-9, 99))
    rows = [draw(st.integers(0, len(files) - 1)) for _ in range(count)]
    boxes = {
        "image": [ids[row] for row in rows],
        "label": [draw(st.integers(0, 2)) for _ in rows],
        "box": [[draw(numbers), draw(numbers), *(abs(draw(numbers)) for _ in "wh")] for _ in rows],
        "crowd": [draw(st.booleans()) for _ in rows],
        "area": [draw(st.floats(0, 99)) for _ in rows],
        "id": draw(st.permutations(range(draw(st.sampled_from([1, 50])), 99)))[:count],
    }
    for flag in draw(st.lists(st.sampled_from(FLAGS), unique=True)):
        boxes[flag] = np.array([draw(st.booleans()) for _ in rows])
    owner = draw(st.lists(st.integers(0, 2), min_size=len(ids), max_size=len(ids)))
    splits = draw(st.booleans())

    def made(folder: Path) -> Dataset:
        for name, size in zip(names, sizes, strict=True):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(encoded(*size))
        space = LabelSpace("custom", tuple(classes))
        truth = GroundTruth.of(ids, boxes, label_space=space, box_format="xywh")
        order = np.argsort(np.array(ids), kind="stable").tolist()
        records = FolderRecords(
            truth.image_ids,
            [names[row] for row in order],
            np.array([sizes[row] for row in order]),
            folder,
            folder,
        )
        rows = {
            name: [at for at, row in enumerate(order) if owner[row] == number]
            for number, name in enumerate(("train", "val", "test"))
        }
        parts = {name: np.array(found) for name, found in rows.items() if found and splits}
        return Dataset("some", records, truth, (), parts)

    return made
