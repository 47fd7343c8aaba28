"""Bright rectangles on noise: a small data set that a small network learns in a moment."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.data import Dataset, read
from zoo.train.result import Result
from zoo.train.train import train

TWO_STEPS: dict[str, Any] = {
    "size": [64, 64],
    "steps": 2,
    "batch_size": 2,
    "augment": [],
    "ema": None,
}


def made(folder: Path, *, images: int, seed: int = 0) -> Dataset:
    """Images of 40 to 56 pixels with up to three rectangles, bright ones and dark ones; the first
    has none."""
    (folder / "images").mkdir(parents=True)
    random = np.random.default_rng(seed)
    records, annotations = [], []
    for number in range(images):
        height, width = random.integers(40, 57, 2).tolist()
        pixels = random.integers(90, 130, (height, width, 3), dtype=np.uint8)
        for _ in range(number % 4):
            tall, wide = random.integers(10, 24, 2).tolist()
            y, x = random.integers(0, height - tall), random.integers(0, width - wide)
            kind = int(random.integers(0, 2))
            pixels[y : y + tall, x : x + wide] = 250 if kind else 10
            box = [int(x), int(y), wide, tall]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": kind + 1,
                    "bbox": box,
                    "area": wide * tall,
                    "iscrowd": 0,
                }
            )
        name = f"{number:03}.png"
        Image.fromarray(pixels).save(folder / "images" / name)
        records.append({"id": number + 1, "file_name": name, "width": width, "height": height})
    content = {
        "images": records,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "dark"}, {"id": 2, "name": "bright"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return read(folder / "instances.json")


@pytest.fixture(scope="session")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Twelve images."""
    return made(tmp_path_factory.mktemp("blocks"), images=12)


@pytest.fixture(scope="session")
def blocks_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Annotations of ten images."""
    folder = tmp_path_factory.mktemp("blocks")
    made(folder / "data", images=10, seed=2)
    return str(folder / "data" / "instances.json")


@pytest.fixture(scope="session")
def trained(blocks: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Two steps of YOLOX-Nano."""
    folder = tmp_path_factory.mktemp("runs") / "My run 1"
    options: dict[str, Any] = {"validation": blocks, "weights": False, "device": "cpu"}
    return train("yolox_nano", data=blocks, recipe=TWO_STEPS, to=folder, progress=False, **options)
