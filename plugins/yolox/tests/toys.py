"""Toy inputs of the tests of YOLOX: maps, images and truths."""

import torch
from detzoo_yolox.detector import YOLOX
from detzoo_yolox.outputs import YoloxOutput
from torch import Tensor, nn

from zoo.contract.feature_level import FeatureLevel
from zoo.detectors import Batch, Target


def run(module: nn.Module, *inputs: object) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        outputs: tuple[Tensor, ...] = module.eval()(*inputs)
    return outputs


def maps_of(levels: tuple[FeatureLevel, ...], *, height: int, width: int) -> tuple[Tensor, ...]:
    return tuple(
        torch.rand(2, level.channels, height // level.stride, width // level.stride)
        for level in levels
    )


def shapes_of(
    levels: tuple[FeatureLevel, ...], *, height: int, width: int
) -> list[tuple[int, ...]]:
    return [tuple(one.shape) for one in maps_of(levels, height=height, width=width)]


NOTHING = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def target(*boxes: tuple[float, float, float, float, int]) -> Target:
    rows = torch.tensor(boxes)
    return Target(rows[:, :4].float(), rows[:, 4].long())


def noise(count: int, *, height: int = 64, width: int = 64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [
        torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)
        for _ in range(count)
    ]


def trained_on(toy: YOLOX, targets: list[Target]) -> tuple[YoloxOutput, Batch, dict[str, Tensor]]:
    batch = toy.preprocess(noise(len(targets)))
    outputs = toy.train()(batch)
    return outputs, batch, toy.loss(outputs, batch, targets)
