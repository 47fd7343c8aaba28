"""The accelerator that these tests run on; where there is none, each is skipped with the reason.

`DETZOO_TEST_DEVICE=cpu` runs what a processor can run of them, to try the tests themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.detectors import Detector
from zoo.testing.conformance.images import scene

SIZES = ((96, 128), (128, 96), (200, 120), (96, 128), (64, 64), (150, 220))


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The accelerator."""
    if wanted := os.environ.get("DETZOO_TEST_DEVICE"):
        return torch.device(wanted)
    if not torch.cuda.is_available():
        pytest.skip(f"needs a GPU that torch can use, and torch {torch.__version__} sees none")
    return torch.device("cuda:0")


@pytest.fixture
def gpu(device: torch.device) -> torch.device:
    """The same, for what a processor can't even try."""
    if device.type != "cuda":
        pytest.skip(f"needs a CUDA device, and {device} is none")
    return device


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    """Convolutions and products in whole float32, so that the processor's answers are a measure."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@pytest.fixture(scope="session")
def make() -> Callable[..., Detector]:
    """`make(name, device)`: that model with random weights, the same ones each time, and norms that
    fit them."""
    made: dict[str, Detector] = {}

    def build(name: str, device: torch.device | str = "cpu") -> Detector:
        if name not in made:
            torch.manual_seed(0)
            made[name] = zoo.load(name, weights=False, device="cpu")
            settle(made[name])
        return deepcopy(made[name]).to(device)

    return build


def settle(detector: Detector) -> None:
    """Norms get the statistics of an image: with those of no training, what random layers see
    vanishes layer by layer."""

    def measure(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

    norms = [
        one for one in detector.modules() if isinstance(getattr(one, "running_mean", None), Tensor)
    ]
    hooks = [one.register_forward_pre_hook(measure) for one in norms]
    with torch.inference_mode(False), torch.no_grad():
        detector(
            detector.preprocess(
                [
                    scene(height, width, seed=number)
                    for number, (height, width) in enumerate(SIZES[:1])
                ],
                device=detector.device,
            )
        )
    for hook in hooks:
        hook.remove()


@pytest.fixture
def images() -> list[Tensor]:
    """Six images of five sizes, uint8 `(3, h, w)`."""
    return [scene(*size, seed=number) for number, size in enumerate(SIZES)]
