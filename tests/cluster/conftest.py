"""Images for real workers, and what one process sees in them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.evaluate import Predictions, predict

IMAGES = 60


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sixty small images of noise, and annotations with the classes that YOLOX-Pico knows."""
    folder = tmp_path_factory.mktemp("scenes")
    names = zoo.catalogue().resolve("yolox_pico").entry.card.labels
    rng = np.random.default_rng(0)
    images = []
    for number in range(IMAGES):
        width = 60 + number
        pixels = rng.integers(0, 256, (8, 12, 3), np.uint8)
        resized = Image.fromarray(pixels).resize((width, 50), Image.Resampling.NEAREST)
        resized.save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": width, "height": 50})
    categories = [{"id": number, "name": name} for number, name in enumerate(names)]
    box = {"id": 1, "image_id": 0, "category_id": 0, "bbox": [5, 5, 20, 20], "area": 400}
    content = {"images": images, "annotations": [box], "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return f"coco:{folder / 'instances.json'}"


@pytest.fixture(scope="session")
def alone(scenes: str, tmp_path_factory: pytest.TempPathFactory) -> Predictions:
    """What one process with one thread sees."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = predict("yolox_pico", data=scenes, batch_size=2, to=tmp_path_factory.mktemp("alone"))
    torch.set_num_threads(before)
    assert len(made.scores) > IMAGES
    return made
