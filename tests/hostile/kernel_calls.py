"""Calls the kernel with arguments that do not belong together; `test_kernel_calls.py` runs it under
AddressSanitizer.

python kernel_calls.py KERNEL ROUNDS SEED...

It prints how many calls were done, refused, and short of memory, for each seed. Every array is as
long as it says: nothing else is promised.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.formats.coco import scan
from zoo.data.kernel_library import library
from zoo.errors import DataError
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator, GroundTruth
from zoo.evaluate.coco import native
from zoo.evaluate.coco.resampling import draws

NUMBERS = (
    -(2**63),
    -(2**31),
    -1,
    0,
    1,
    2,
    3,
    15,
    16,
    17,
    100,
    65535,
    65536,
    2**31,
    2**40,
    2**62,
    2**63 - 1,
)


class Recorder(native.Kernel):
    """A kernel that keeps what it was called with."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.calls: list[tuple[str, Any, int, dict[str, Any]]] = []

    def call(self, function: str, kind: Any, threads: int, **values: Any) -> None:
        kept = {
            name: value if isinstance(value, int) else value.copy()
            for name, value in values.items()
        }
        self.calls.append((function, kind, threads, kept))
        super().call(function, kind, threads, **values)


def recorded(file: Path, random: np.random.Generator) -> Recorder:
    """Every function called as it should be, with data sets of several kinds."""
    kernel = Recorder(file)
    for classes, images, distinct in ((1, 3, 1), (3, 8, 4), (40, 5, 1000)):
        boxes = int(random.integers(1, 12 * images))
        truth = GroundTruth.of(
            range(images),
            {
                "image": random.integers(0, images, boxes),
                "label": random.integers(0, classes, boxes),
                "box": random.uniform(0, 90, (boxes, 4)),
                "crowd": random.uniform(size=boxes) < 0.2,
            },
            label_space=[f"class {label}" for label in range(classes)],
            box_format="xywh",
        )
        settings = CocoSettings(detections=(1, 5)) if classes == 3 else CocoSettings()
        evaluator = Evaluator(
            truth,
            settings=settings,
            policy=EdgeCasePolicy(unseen_images="empty"),
            analyses=classes > 1,
        )
        evaluator.backend = kernel
        found = []
        for _ in range(images):
            count = int(random.integers(0, 60))
            corner = random.uniform(0, 90, (count, 2)).astype(
                np.float32 if distinct == 4 else np.float64
            )
            found.append(
                {
                    "boxes": np.concatenate(
                        [corner, corner + random.uniform(1, 60, (count, 2)).astype(corner.dtype)], 1
                    ),
                    "scores": (random.integers(0, distinct, count) / distinct).astype(corner.dtype),
                    "labels": random.integers(0, classes, count),
                }
            )
        evaluator.update(range(images), found)
        sample = evaluator.matched_images()
        _ = sample.curves, evaluator.curves()
        kernel.resample(
            sample.ranking(),
            sample.plan,
            draws(images, range(40), 0),
            limit=settings.detections[-1],
            threads=2,
        )
    return kernel


def spoilt(value: Any, others: list[Any], random: np.random.Generator) -> Any:
    """Another number, or an array with other values, another length, or of another argument."""
    if isinstance(value, int):
        return (
            int(random.choice(NUMBERS))
            if random.uniform() < 0.7
            else value + int(random.integers(-2, 3))
        )
    alike = [other for other in others if not isinstance(other, int) and other.dtype == value.dtype]
    ways = [
        value[: int(random.integers(0, len(value) + 1))],
        np.concatenate([value, value]),
        alike[int(random.integers(len(alike)))],
        np.zeros(0, value.dtype),
        any_bytes(value, random),
        beside(value, random),
    ]
    return ways[int(random.integers(len(ways)))].copy()


def any_bytes(value: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A ninth of its bytes are others."""
    made = value.copy()
    raw = made.reshape(-1).view(np.uint8)
    if len(raw):
        raw[random.integers(0, len(raw), 1 + len(raw) // 9)] = random.integers(
            0, 256, 1 + len(raw) // 9
        )
    return made


def beside(value: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One of its numbers is another, near to it or none at all."""
    made = value.copy()
    flat = made.reshape(-1)
    if not len(flat):
        return made
    at, step = int(random.integers(len(flat))), int(random.choice([-1000, -2, -1, 1, 2, 1000]))
    if flat.dtype.kind in "iu":
        flat[at] = np.array(int(flat[at]) + step).astype(flat.dtype)
    elif flat.dtype.kind == "f":
        flat[at] = random.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e300])
    return made


def call(kernel: native.Kernel, random: np.random.Generator, calls: list[Any]) -> str:
    function, kind, threads, values = calls[int(random.integers(len(calls)))]
    values = {
        name: value if isinstance(value, int) else value.copy() for name, value in values.items()
    }
    for name in random.choice(list(values), int(random.integers(0, 4)), replace=False).tolist():
        values[name] = spoilt(values[name], list(values.values()), random)
    try:
        native.Kernel.call(kernel, function, kind, threads, **values)
    except DataError:
        return "refused"
    except MemoryError:
        return "no memory"
    return "done"


def read(random: np.random.Generator) -> str:
    """Reads a COCO file some of whose bytes are others."""
    boxes = [
        {
            "id": row + 1,
            "image_id": row % 3,
            "category_id": 1,
            "bbox": [1.5, 2, 30, 4e1],
            "area": 9.0,
            "iscrowd": 0,
            "score": 0.5,
        }
        for row in range(9)
    ]
    images = [{"id": row, "file_name": "a\\u00e9.jpg", "width": 9, "height": 9} for row in range(3)]
    if random.uniform() < 0.5:
        text, reader = json.dumps(boxes), scan.results
    else:
        text, reader = (
            json.dumps(
                {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "a"}]}
            ),
            scan.instances,
        )
    raw = bytearray(text.encode())
    for _ in range(int(random.integers(0, 6))):
        at = int(random.integers(len(raw)))
        if random.uniform() < 0.5:
            raw[at] = int(random.choice(list(b'{}[]",:\\0e-.\x00\xff')))
        elif random.uniform() < 0.5:
            del raw[at : at + int(random.integers(1, 40))]
        else:
            raw[at:at] = raw[at : at + int(random.integers(1, 200))]
    held = np.frombuffer(bytes(raw), np.uint8).copy()  # a block of its own
    return "read" if reader(memoryview(held)) is not None else "unusual"


def outcomes(file: Path, rounds: int, seed: int) -> Counter[str]:
    """How many calls ended how."""
    random = np.random.default_rng(seed)
    kernel = recorded(file, random)
    calls = list(kernel.calls)
    ended: Counter[str] = Counter()
    for _ in range(rounds):
        ended[call(kernel, random, calls)] += 1
        ended[read(random)] += 1
    return ended


def main() -> None:
    file, rounds = Path(sys.argv[1]), int(sys.argv[2])
    scan.kernel_or_none = lambda: library(file)  # type: ignore[assignment]
    sys.stdout.write(json.dumps([outcomes(file, rounds, int(seed)) for seed in sys.argv[3:]]))


if __name__ == "__main__":
    main()
