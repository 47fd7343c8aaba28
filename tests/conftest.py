"""A street: a small data set of pictures, and weights of a detector that sees things in them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data import Dataset, read


@pytest.fixture
def street(tmp_path: Path) -> Dataset:
    """Six small pictures, and an `instances.json` that says there are persons, dogs and unicorns in them."""
    folder = tmp_path / "street"
    (folder / "pictures").mkdir(parents=True)
    random = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(6):
        pixels = random.integers(0, 256, (8, 12 + number, 3), np.uint8)
        Image.fromarray(pixels).resize((120 + 10 * number, 80), Image.Resampling.NEAREST).save(
            folder / "pictures" / f"{number}.png"
        )
        images.append({"id": number + 1, "file_name": f"{number}.png", "width": 120 + 10 * number, "height": 80})
        boxes = [[10, 10, 50, 40], [60, 20, 30, 30]]
        annotations += [
            {"id": 2 * number + row + 1, "image_id": number + 1, "category_id": 1 + (number + row) % 3, "bbox": box}
            for row, box in enumerate(boxes)
        ]
    names = {1: "person", 2: "dog", 3: "unicorn"}
    categories = [{"id": number, "name": name} for number, name in names.items()]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return read(folder / "instances.json")


def _weights(to: Path, *, seed: int) -> str:
    """YOLOX-Nano with random weights that is sure of a lot."""
    import torch
    from safetensors.torch import save_file

    import zoo

    torch.manual_seed(seed)
    state = zoo.load("yolox_nano", weights=False).state_dict()
    for name, tensor in state.items():
        if "_preds" in name and name.endswith("bias"):
            tensor.zero_()
    save_file(state, to)
    return f"file:{to}"


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights for YOLOX-Nano, as `zoo.load` takes them."""
    return _weights(tmp_path_factory.mktemp("weights") / "nano.safetensors", seed=0)


@pytest.fixture(scope="session")
def dented(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Other ones."""
    return _weights(tmp_path_factory.mktemp("weights") / "dented.safetensors", seed=1)
