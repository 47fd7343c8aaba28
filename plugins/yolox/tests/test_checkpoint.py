"""Checkpoints in upstream's layout load one to one, with batch norms or with them folded in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from detzoo_yolox.blocks import BaseConv
from detzoo_yolox.checkpoint import rename
from detzoo_yolox.detector import YOLOX, build
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval

from zoo.detectors import Batch
from zoo.labels import LabelSpace

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def conv(name: str) -> Iterator[str]:
    yield f"{name}.conv.weight"
    yield from (f"{name}.bn.{part}" for part in NORM)


def depthwise(name: str) -> Iterator[str]:
    yield from conv(f"{name}.dconv")
    yield from conv(f"{name}.pconv")


def csp(name: str, blocks: int) -> Iterator[str]:
    for index in (1, 2, 3):
        yield from conv(f"{name}.conv{index}")
    for index in range(blocks):
        yield from conv(f"{name}.m.{index}.conv1")
        yield from depthwise(f"{name}.m.{index}.conv2")


def head(branch: object) -> Iterator[str]:
    for level in range(3):
        yield from conv(f"head.stems.{level}")
        for kind in ("cls", "reg"):
            yield from (
                name for index in (0, 1) for name in branch(f"head.{kind}_convs.{level}.{index}")
            )  # type: ignore[operator]
        yield from (
            f"head.{kind}_preds.{level}.{part}"
            for kind in ("cls", "reg", "obj")
            for part in ("weight", "bias")
        )


def nano_names() -> Iterator[str]:
    """Upstream's tensor names of YOLOX-Nano, from the structure of its `YOLOPAFPN`, `CSPDarknet`
    and `YOLOXHead`."""
    yield from conv("backbone.backbone.stem.conv")
    for index, blocks in ((2, 1), (3, 3), (4, 3)):
        yield from depthwise(f"backbone.backbone.dark{index}.0")
        yield from csp(f"backbone.backbone.dark{index}.1", blocks)
    yield from depthwise("backbone.backbone.dark5.0")
    yield from (name for index in (1, 2) for name in conv(f"backbone.backbone.dark5.1.conv{index}"))
    yield from csp("backbone.backbone.dark5.2", 1)
    yield from (
        name for module in ("lateral_conv0", "reduce_conv1") for name in conv(f"backbone.{module}")
    )
    yield from (
        name for module in ("bu_conv1", "bu_conv2") for name in depthwise(f"backbone.{module}")
    )
    yield from (
        name
        for module in ("C3_p4", "C3_p3", "C3_n3", "C3_n4")
        for name in csp(f"backbone.{module}", 1)
    )
    yield from head(depthwise)


def darknet53_names() -> Iterator[str]:
    """Upstream's tensor names of YOLOX-Darknet53, from the structure of its `YOLOFPN`, `Darknet`
    and `YOLOXHead`."""

    def residual(name: str) -> Iterator[str]:
        yield from (each for index in (1, 2) for each in conv(f"{name}.layer{index}"))

    yield from (name for index in (0, 1) for name in conv(f"backbone.backbone.stem.{index}"))
    yield from residual("backbone.backbone.stem.2")
    for index, blocks in ((2, 2), (3, 8), (4, 8), (5, 4)):
        yield from conv(f"backbone.backbone.dark{index}.0")
        yield from (
            name
            for block in range(blocks)
            for name in residual(f"backbone.backbone.dark{index}.{block + 1}")
        )
    yield from (name for index in (5, 6, 8, 9) for name in conv(f"backbone.backbone.dark5.{index}"))
    yield from (name for index in (1, 2) for name in conv(f"backbone.backbone.dark5.7.conv{index}"))
    for module in ("out1", "out2"):
        yield from conv(f"backbone.{module}_cbl")
        yield from (name for index in range(5) for name in conv(f"backbone.{module}.{index}"))
    yield from head(conv)


def on_meta(label_space: LabelSpace, **arguments: object) -> YOLOX:
    with torch.device("meta"):
        return build(label_space=label_space, **arguments)  # type: ignore[arg-type]


PUBLISHED = {
    "nano": (nano_names, {"depth": 0.33, "width": 0.25, "depthwise": True}),
    "darknet53": (darknet53_names, {"backbone": "darknet53"}),
}


@pytest.mark.parametrize("size", PUBLISHED)
def test_upstreams_names_are_this_networks_one_to_one(size: str, letters: LabelSpace) -> None:
    names, arguments = PUBLISHED[size]
    upstream = list(names())
    assert len({rename(name) for name in upstream}) == len(upstream)
    assert {rename(name) for name in upstream} == set(on_meta(letters, **arguments).state_dict())


@pytest.mark.parametrize("size", PUBLISHED)
def test_a_checkpoint_in_upstreams_layout_loads_strictly(size: str, letters: LabelSpace) -> None:
    names, arguments = PUBLISHED[size]
    model = on_meta(letters, **arguments)
    own = model.state_dict()
    upstream = {name: own[rename(name)] for name in names()}
    result = model.load_state_dict(model.from_checkpoint(upstream), strict=True, assign=True)
    assert not result.missing_keys


def test_the_real_folded_file_is_named_as_upstream_names_its_convolutions(shared: Path) -> None:
    folded = set(load_file(shared / "yolox_nano" / "yolox_nano_fused.safetensors"))
    published = set(nano_names())
    assert {name for name in folded if not name.endswith(".conv.bias")} == {
        name for name in published if ".bn." not in name
    }
    assert {name.replace(".conv.bias", ".bn.bias") for name in folded} <= published


def test_a_state_dict_of_ones_own_comes_back_untouched(toy: YOLOX) -> None:
    own = toy.state_dict()
    again = toy.from_checkpoint(own)
    assert all(again[name].data_ptr() == tensor.data_ptr() for name, tensor in own.items())
    assert again.keys() == own.keys()


def test_a_tensor_nobody_knows_keeps_its_name_so_that_loading_can_name_it(toy: YOLOX) -> None:
    state = {
        "backbone.backbone.stem.conv.conv.weight": torch.zeros(1),
        "backbone.mystery.weight": torch.zeros(1),
    }
    assert set(toy.from_checkpoint(state)) == {
        "backbone.stem.conv.conv.weight",
        "backbone.mystery.weight",
    }


def folded(model: YOLOX) -> dict[str, Tensor]:
    """The state dict with every batch norm folded into its convolution, as in files made for
    deployment."""
    state = {name: tensor for name, tensor in model.state_dict().items() if ".bn." not in name}
    for name, module in model.named_modules():
        if isinstance(module, BaseConv):
            fused = fuse_conv_bn_eval(module.conv, module.bn)
            state |= {
                f"{name}.conv.weight": fused.weight.detach(),
                f"{name}.conv.bias": fused.bias.detach(),
            }
    return state


def norms(model: YOLOX) -> list[torch.nn.BatchNorm2d]:
    return [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def with_history(model: YOLOX) -> YOLOX:
    """The model with batch norms as training leaves them: no two alike, none the identity."""
    for module in norms(model):
        for tensor in (module.weight.data, module.running_var):
            tensor.uniform_(0.5, 1.5)
        for tensor in (module.bias.data, module.running_mean):
            tensor.uniform_(-0.5, 0.5)
    return model


def test_a_folded_checkpoint_gives_the_same_output_as_the_one_it_was_folded_from(
    toy: YOLOX, letters: LabelSpace
) -> None:
    original = with_history(toy)
    again = on_meta(letters, depth=0.33, width=0.125, size=64)
    again.load_state_dict(again.from_checkpoint(folded(original)), strict=True, assign=True)
    batch = original.preprocess([torch.randint(0, 256, (3, 64, 48), dtype=torch.uint8)])
    with torch.inference_mode():
        assert torch.allclose(
            again.eval()(batch).values, original(batch).values, rtol=1e-4, atol=1e-5
        )


@pytest.fixture
def unfolded(toy: YOLOX, letters: LabelSpace) -> YOLOX:
    """A network from a folded checkpoint, in train mode."""
    network = on_meta(letters, depth=0.33, width=0.125, size=64)
    network.load_state_dict(
        network.from_checkpoint(folded(with_history(toy))), strict=True, assign=True
    )
    return network.train()


def test_a_network_from_a_folded_checkpoint_trains_its_batch_norms(unfolded: YOLOX) -> None:
    outputs = unfolded(Batch(torch.rand(2, 3, 64, 64) * 255, ()))
    outputs.values.sum().backward()
    stem = unfolded.backbone.stem.conv.bn
    assert stem.weight.grad.abs().sum() > 0
    assert stem.running_mean.abs().sum() > 0
    assert stem.num_batches_tracked == 1


def test_training_begins_at_the_network_that_was_folded(unfolded: YOLOX) -> None:
    batch = Batch(torch.rand(4, 3, 64, 64) * 255, ())
    with torch.no_grad():
        before = unfolded.eval()(batch).values
        unfolded.train()(batch)
        after = unfolded.eval()(batch).values
    assert torch.allclose(after, before, rtol=1e-2, atol=1e-3)


def test_statistics_are_measured_once(unfolded: YOLOX) -> None:
    batch = Batch(torch.rand(2, 3, 64, 64) * 255, ())
    with torch.no_grad():
        unfolded(batch)
        weights = [norm.weight.clone() for norm in norms(unfolded)]
        unfolded(Batch(batch.pixels / 2, ()))
    assert all(
        torch.equal(norm.weight, weight)
        for norm, weight in zip(norms(unfolded), weights, strict=True)
    )


def test_a_network_that_was_never_folded_keeps_its_weights_at_its_first_batch(toy: YOLOX) -> None:
    with torch.no_grad():
        toy.train()(Batch(torch.rand(2, 3, 64, 64) * 255, ()))
    assert all((norm.weight == 1).all() for norm in norms(toy))


def test_a_folded_convolution_of_another_rank_is_left_for_loading_to_name(toy: YOLOX) -> None:
    state = {
        "backbone.stem.conv.conv.weight": torch.zeros(3),
        "backbone.stem.conv.conv.bias": torch.zeros(3),
    }
    assert set(toy.from_checkpoint(state)) == {"backbone.stem.conv.conv.weight"}
