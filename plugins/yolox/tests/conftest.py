"""What the tests of YOLOX share: a toy model that trains in a second, the published nano, and real
images."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from detzoo_yolox.detector import YOLOX, build
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from zoo import labels
from zoo.labels import LabelSpace

NANO = {"depth": 0.33, "width": 0.25, "depthwise": True, "size": 416}
Images = Callable[[int], list[Tensor]]


@pytest.fixture
def letters() -> LabelSpace:
    """Three classes."""
    return LabelSpace("letters", ("a", "b", "c"))


@pytest.fixture
def toy(letters: LabelSpace) -> YOLOX:
    """A YOLOX of an eighth of the width, random, for images of 64 pixels."""
    torch.manual_seed(0)
    return build(label_space=letters, depth=0.33, width=0.125, size=64).eval()


@pytest.fixture
def published_nano(shared: Path) -> YOLOX:
    """YOLOX-Nano with the published weights, built on the meta device as the zoo builds it."""
    with torch.device("meta"):
        model = build(label_space=labels.get("coco80"), **NANO)
    state = model.from_checkpoint(load_file(shared / "yolox_nano" / "yolox_nano_fused.safetensors"))
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval()


@pytest.fixture
def coco(shared: Path) -> dict[str, list[dict[str, object]]]:
    """The annotations of 128 images of COCO val2017."""
    content: dict[str, list[dict[str, object]]] = json.loads(
        (shared / "coco_val2017_128" / "instances.json").read_text()
    )
    return content


@pytest.fixture
def images(shared: Path, coco: dict[str, list[dict[str, object]]]) -> Images:
    """The first n of those images, as uint8 RGB tensors `(3, h, w)`."""

    def read(count: int) -> list[Tensor]:
        files = [
            shared / "coco_val2017_128" / "val2017" / str(image["file_name"])
            for image in coco["images"][:count]
        ]
        return [
            torch.from_numpy(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1)
            for file in files
        ]

    return read
