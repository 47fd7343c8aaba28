"""BiFPN against the equations of its paper, computed cell by cell."""

from __future__ import annotations

import pytest
import torch
from detzoo_torchvision.parts.bifpn import EPSILON, BiFPN, Layer, Merge, enlarge, halve
from torch import Tensor

from zoo.contract import FeatureLevel
from zoo.errors import CardError, ContractError

CHANNELS = 3
SIZES = ((9, 13), (5, 7), (3, 4), (2, 2))


def pyramid() -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [
        torch.randn(1, CHANNELS, *size, generator=generator, dtype=torch.float64) for size in SIZES
    ]


def randomised(layer: Layer) -> Layer:
    generator = torch.Generator().manual_seed(5)
    for name, tensor in layer.state_dict().items():
        if tensor.is_floating_point():
            low = 0.5 if name.endswith("running_var") else -1.0
            tensor.uniform_(low, 1.5, generator=generator)
    return layer.eval()


def slow_nearest(coarse: Tensor, height: int, width: int) -> Tensor:
    """Each cell of the fine map takes the coarse cell it lies in."""
    fine = torch.zeros(1, CHANNELS, height, width, dtype=coarse.dtype)
    for y in range(height):
        for x in range(width):
            fine[:, :, y, x] = coarse[
                :, :, y * coarse.shape[2] // height, x * coarse.shape[3] // width
            ]
    return fine


def slow_maxima(fine: Tensor) -> Tensor:
    """The largest of up to nine cells around every second one."""
    height, width = fine.shape[2:]
    coarse = torch.zeros(1, CHANNELS, -(-height // 2), -(-width // 2), dtype=fine.dtype)
    for y in range(coarse.shape[2]):
        for x in range(coarse.shape[3]):
            window = fine[:, :, max(2 * y - 1, 0) : 2 * y + 2, max(2 * x - 1, 0) : 2 * x + 2]
            coarse[:, :, y, x] = window.amax(dim=(2, 3))
    return coarse


def slow_merge(merge: Merge, maps: list[Tensor]) -> Tensor:
    """O = sum of w_i / (eps + sum of w_j) * I_i with w = relu, then swish, depthwise and pointwise
    convolution, batch norm."""
    weights = [max(float(weight), 0.0) for weight in merge.weights]
    fused = torch.zeros_like(maps[0])
    for weight, one in zip(weights, maps, strict=True):
        fused += weight / (EPSILON + sum(weights)) * one
    fused = fused / (1 + torch.exp(-fused))
    return slow_separable(merge, fused)


def slow_separable(merge: Merge, fused: Tensor) -> Tensor:
    depthwise, pointwise, norm = merge.conv
    height, width = fused.shape[2:]
    padded = torch.zeros(1, CHANNELS, height + 2, width + 2, dtype=fused.dtype)
    padded[:, :, 1:-1, 1:-1] = fused
    out = torch.zeros_like(fused)
    for y in range(height):
        for x in range(width):
            patch = padded[0, :, y : y + 3, x : x + 3]
            cell = (patch * depthwise.weight[:, 0]).sum(dim=(1, 2))
            cell = pointwise.weight[:, :, 0, 0] @ cell + pointwise.bias
            out[0, :, y, x] = (cell - norm.running_mean) / torch.sqrt(
                norm.running_var + norm.eps
            ) * norm.weight + norm.bias
    return out


def slow_layer(layer: Layer, p3: Tensor, p4: Tensor, p5: Tensor, p6: Tensor) -> list[Tensor]:
    """Figure 3(d), four levels, node by node."""
    td5 = slow_merge(layer.down[2], [p5, slow_nearest(p6, *SIZES[2])])
    td4 = slow_merge(layer.down[1], [p4, slow_nearest(td5, *SIZES[1])])
    out3 = slow_merge(layer.down[0], [p3, slow_nearest(td4, *SIZES[0])])
    out4 = slow_merge(layer.up[0], [p4, td4, slow_maxima(out3)])
    out5 = slow_merge(layer.up[1], [p5, td5, slow_maxima(out4)])
    out6 = slow_merge(layer.up[2], [p6, slow_maxima(out5)])
    return [out3, out4, out5, out6]


@torch.no_grad()
def test_a_layer_is_what_the_paper_draws() -> None:
    layer = randomised(Layer(len(SIZES), CHANNELS).double())
    for ours, theirs in zip(layer(pyramid()), slow_layer(layer, *pyramid()), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_resizing_is_nearest_upwards_and_the_maximum_downwards() -> None:
    fine, coarse = pyramid()[:2]
    assert torch.equal(enlarge(coarse, like=fine), slow_nearest(coarse, *SIZES[0]))
    assert torch.equal(halve(fine), slow_maxima(fine))


def test_a_negative_weight_counts_for_nothing() -> None:
    merge = Merge(2, CHANNELS).double().eval()
    one, other = pyramid()[0], pyramid()[0] * 7
    with torch.no_grad():
        merge.weights.copy_(torch.tensor([1.0, -3.0]))
        assert torch.allclose(merge([one, other]), merge([one, torch.zeros_like(other)]))


@pytest.mark.parametrize("coarser", [0, 1, 2, 3])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (72, 104)])
def test_it_returns_the_maps_it_declares(coarser: int, height: int, width: int) -> None:
    given = (FeatureLevel(8, 8), FeatureLevel(16, 16), FeatureLevel(24, 32))
    neck = BiFPN(levels=given, channels=12, layers=2, coarser=coarser).eval()
    maps = tuple(
        torch.rand(2, one.channels, -(-height // one.stride), -(-width // one.stride))
        for one in given
    )
    assert [level.stride for level in neck.levels] == [8, 16, 32, 64, 128, 256][: 3 + coarser]
    assert [tuple(one.shape) for one in neck(maps)] == [
        (2, 12, -(-height // level.stride), -(-width // level.stride)) for level in neck.levels
    ]


def test_every_level_sees_every_other() -> None:
    given = (FeatureLevel(8, 8), FeatureLevel(16, 16))
    neck = BiFPN(levels=given, channels=8, layers=1).eval()
    maps = [
        torch.rand(1, one.channels, 64 // one.stride, 64 // one.stride, requires_grad=True)
        for one in given
    ]
    for output in neck(tuple(maps)):
        assert all(
            grad.abs().sum() > 0
            for grad in torch.autograd.grad(output.sum(), maps, retain_graph=True)
        )


def test_strides_that_do_not_double_are_refused() -> None:
    with pytest.raises(ContractError, match="strides that double"):
        BiFPN(levels=(FeatureLevel(8, 8), FeatureLevel(8, 32)))


def test_a_single_map_and_none_to_add_is_too_little_to_merge() -> None:
    with pytest.raises(ContractError, match="at least 2 maps, and there is 1"):
        BiFPN(levels=(FeatureLevel(8, 8),), coarser=0)


@pytest.mark.parametrize("wrong", [{"layers": 0}, {"coarser": -1}])
def test_an_argument_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CardError, match="Leave both out"):
        BiFPN(levels=(FeatureLevel(8, 8), FeatureLevel(8, 16)), **wrong)
