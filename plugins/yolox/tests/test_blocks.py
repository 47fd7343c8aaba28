"""The blocks compute what their papers write."""

import pytest
import torch
from detzoo_yolox.blocks import (
    BN_EPS,
    NEUTRAL_VARIANCE,
    BaseConv,
    Bottleneck,
    CSPLayer,
    DWConv,
    Focus,
    Norm,
    ResLayer,
    SPPBottleneck,
    spatial_conv,
)
from torch import Tensor, nn


def test_the_stem_convolves_the_stacked_corners_of_each_patch_as_published() -> None:
    stem = Focus(3, 4)
    x = torch.randn(2, 3, 10, 14, generator=torch.Generator().manual_seed(1))
    corners = [x[..., row::2, column::2] for column in (0, 1) for row in (0, 1)]
    published = stem.conv(torch.cat(corners, dim=1))
    assert torch.allclose(stem(x), published, atol=1e-5)
    weight = stem.conv.conv.weight
    gradients = [torch.autograd.grad(y.square().sum(), weight)[0] for y in (stem(x), published)]
    assert torch.allclose(*gradients, rtol=1e-4, atol=1e-4)


def test_pyramid_pooling_sees_the_maxima_of_5_9_and_13_cells() -> None:
    block = SPPBottleneck(4, 4).eval()
    x = torch.randn(2, 4, 20, 20)
    narrow = block.conv1(x)
    published = [
        nn.functional.max_pool2d(narrow, size, stride=1, padding=size // 2) for size in (5, 9, 13)
    ]
    assert torch.equal(block(x), block.conv2(torch.cat([narrow, *published], dim=1)))


def features(channels: int = 4) -> Tensor:
    return torch.randn(2, channels, 9, 7, generator=torch.Generator().manual_seed(1))


def neutral(channels: int = 4) -> Norm:
    """A norm as a folded checkpoint leaves it."""
    norm = Norm(channels)
    norm.running_var.fill_(NEUTRAL_VARIANCE)
    norm.weight.data.uniform_(0.5, 2.0)
    norm.bias.data.uniform_(-1.0, 1.0)
    return norm


@torch.no_grad()
def test_a_neutral_norm_takes_its_statistics_from_the_first_batch_and_keeps_its_output() -> None:
    norm, batch = neutral(), features() * 3 + 2
    before = norm.eval()(batch)
    first, after = norm.train()(batch), norm.eval()(batch)
    assert torch.allclose(first, before, atol=1e-4)
    assert torch.allclose(after, before, rtol=1e-2, atol=1e-2)
    assert not torch.equal(norm.running_mean, torch.zeros(4))


@torch.no_grad()
def test_a_norm_that_knows_its_statistics_keeps_weight_and_bias() -> None:
    norm = Norm(4)
    norm.train()(features())
    assert torch.equal(norm.weight, torch.ones(4))
    assert torch.equal(norm.bias, torch.zeros(4))


@torch.no_grad()
def test_a_norm_measures_again_when_it_has_loaded_neutral_statistics() -> None:
    norm, state = Norm(4), neutral().state_dict()
    norm.train()(features())
    norm.load_state_dict(state)
    norm(features() + 5)
    assert norm.running_mean.min() > 0.5
    assert not torch.equal(norm.weight, state["weight"])


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
def test_a_convolution_pads_so_that_only_its_stride_shrinks_the_map(
    kernel: int, stride: int
) -> None:
    conv = BaseConv(4, 6, kernel=kernel, stride=stride).eval()
    plain = nn.functional.conv2d(
        features(), conv.conv.weight, stride=stride, padding=(kernel - 1) // 2
    )
    expected = nn.functional.silu(plain / (1 + BN_EPS) ** 0.5)
    assert tuple(conv(features()).shape) == (2, 6, -(-9 // stride), -(-7 // stride))
    assert torch.allclose(conv(features()), expected, atol=1e-6)


def test_a_depthwise_convolution_sees_one_channel_then_one_cell() -> None:
    conv = spatial_conv(4, 6, depthwise=True)
    assert isinstance(conv, DWConv)
    assert tuple(conv.dconv.conv.weight.shape) == (4, 1, 3, 3)
    assert tuple(conv.pconv.conv.weight.shape) == (6, 4, 1, 1)
    assert tuple(spatial_conv(4, 6).conv.weight.shape) == (6, 4, 3, 3)


@pytest.mark.parametrize("shortcut", [True, False])
def test_a_bottleneck_adds_its_input_only_with_a_shortcut(shortcut: bool) -> None:
    block = Bottleneck(4, shortcut=shortcut).eval()
    convolved = block.conv2(block.conv1(features()))
    assert torch.equal(block(features()), features() + convolved if shortcut else convolved)


def test_a_residual_block_adds_its_input_to_half_and_back() -> None:
    block = ResLayer(4).eval()
    assert tuple(block.layer1.conv.weight.shape) == (2, 4, 1, 1)
    convolved = block.layer2(block.layer1(features()))
    assert torch.equal(block(features()), features() + convolved)


def test_a_csp_layer_sends_half_of_the_channels_around_its_bottlenecks() -> None:
    layer = CSPLayer(4, 6, blocks=2).eval()
    through = layer.m[1](layer.m[0](layer.conv1(features())))
    around = layer.conv2(features())
    assert through.shape == around.shape == (2, 3, 9, 7)
    assert torch.equal(layer(features()), layer.conv3(torch.cat([through, around], dim=1)))
