"""The inputs are those of torchvision's own transform, bit for bit."""

from __future__ import annotations

import pickle

import pytest
import torch
from detzoo_torchvision.preprocess import TorchvisionPreprocess
from torch import Tensor
from torchvision.models.detection.transform import GeneralizedRCNNTransform

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SHAPES = [(70, 100), (90, 64), (33, 480), (128, 128)]
TRANSFORMS = {
    "shortest edge": GeneralizedRCNNTransform(128, 256, MEAN, STD),
    "several shortest edges": GeneralizedRCNNTransform((64, 96), 200, MEAN, STD),
    "fixed": GeneralizedRCNNTransform(0, 0, MEAN, STD, size_divisible=1, fixed_size=(120, 80)),
}


def noise(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("shapes", [SHAPES[:1], SHAPES[1:2], SHAPES[2:3], SHAPES], ids=len)
@pytest.mark.parametrize("kind", TRANSFORMS)
def test_a_batch_is_torchvisions(kind: str, shapes: list[tuple[int, int]]) -> None:
    transform = TRANSFORMS[kind].eval()
    images = [noise(*shape) for shape in shapes]
    expected, _ = transform([image.float() / 255 for image in images])
    batch = TorchvisionPreprocess.of(transform)(images)
    assert torch.equal(batch.pixels, expected.tensors)
    assert [
        (round(transform.height * transform.scale_y), round(transform.width * transform.scale_x))
        for transform in batch.transforms
    ] == [tuple(size) for size in expected.image_sizes]


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_it_survives_pickling(kind: str) -> None:
    preprocess = TorchvisionPreprocess.of(TRANSFORMS[kind])
    assert pickle.loads(pickle.dumps(preprocess)) == preprocess


def test_another_size_is_torchvisions_at_that_size() -> None:
    preprocess = TorchvisionPreprocess.of(TRANSFORMS["shortest edge"]).at((96, 160))
    assert preprocess == TorchvisionPreprocess.of(GeneralizedRCNNTransform(96, 160, MEAN, STD))
    assert preprocess.input_size(70, 100) == (96, 160)
