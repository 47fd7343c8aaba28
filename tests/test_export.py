"""Every network that torch can export is exported without a wrapper: the table of
docs/reference/exports.md."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils import _pytree as pytree

import zoo
from zoo.contract import Batch, InputTransform
from zoo.detectors import Composed, Detector
from zoo.errors import ContractError
from zoo.labels import LabelSpace
from zoo.registry import catalogue
from zoo.testing.conformance.images import scene

SPACE = LabelSpace.custom(["a", "b", "c"])
SMALL = {"min_size": 64, "max_size": 160}
NANO = {"depth": 0.33, "width": 0.125, "depthwise": True, "size": 64}
DENSE: dict[str, list[dict[str, Any]]] = {
    "yolox/yolox": [NANO, {"backbone": "darknet53", "size": 64}],
    "torchvision/retinanet_resnet50_fpn": [SMALL],
    "torchvision/retinanet_resnet50_fpn_v2": [SMALL],
    "torchvision/fcos_resnet50_fpn": [SMALL],
    "torchvision/ssd300_vgg16": [{}],
    "torchvision/ssdlite320_mobilenet_v3_large": [{}],
}
HEADS: dict[str, dict[str, Any]] = {
    "torchvision/retinanet": {"neck": "fpn", "neck_arguments": {"channels": 64}},
    "torchvision/fcos": {"neck": "bifpn", "neck_arguments": {"channels": 64, "layers": 1}},
    "torchvision/ssd": {},
    "yolox/yolox": {"neck": "pafpn", "head_arguments": {"channels": 32}},
}
TWO_STAGE = "rcnn"


def built(name: str, **arguments: Any) -> Detector:
    torch.manual_seed(0)
    build = catalogue().builder("architectures", name)
    detector: Detector = build(label_space=SPACE, **arguments)
    return detector.eval()


def composed(head: str, **parts: Any) -> Composed:
    return zoo.compose(
        backbone="timm/test_resnet",
        head=head,
        labels=["a", "b"],
        input={"resize": "letterbox", "size": [64, 64]},
        **parts,
    )


def prepared(detector: Detector, *, scale: int) -> Batch:
    """Two images of the same input size at any scale, as 64 x 48 and 128 x 96."""
    images = [scene(48 * scale, 64 * scale, seed=scale + number) for number in range(2)]
    batch = detector.preprocess(images)
    assert [place.width for place in batch.transforms] == [64 * scale] * 2
    return batch


@torch.no_grad()
def check_exported(detector: Detector) -> None:
    program = torch.export.export(detector, (prepared(detector, scale=1),))
    batch = prepared(detector, scale=2)
    ours, theirs = (pytree.tree_flatten(run(batch)) for run in (detector, program.module()))
    assert ours[1] == theirs[1]
    for one, other in zip(ours[0], theirs[0], strict=True):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))
    outputs = pytree.tree_unflatten(theirs[0], theirs[1])
    (first, _) = detector.decode(outputs, batch, detector.defaults)
    assert first.size == (96, 128)


def test_yolox_is_exported_and_its_program_is_saved_and_loaded() -> None:
    detector = built("yolox/yolox", **NANO)
    check_exported(detector)
    batch, file = prepared(detector, scale=1), io.BytesIO()
    torch.export.save(torch.export.export(detector, (batch,)), file)
    file.seek(0)
    with torch.serialization.safe_globals([Batch, InputTransform]), torch.no_grad():
        program = torch.export.load(file)
        outputs = program.module()(prepared(detector, scale=2))
        expected = detector(prepared(detector, scale=2))
    assert torch.equal(outputs.values, expected.values)
    assert outputs.grids == expected.grids


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, arguments) for name, several in DENSE.items() for arguments in several],
)
def test_detectors_that_look_once_are_exported(name: str, arguments: dict[str, Any]) -> None:
    check_exported(built(name, **arguments))


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_composed_detectors_with_dense_heads_are_exported(head: str) -> None:
    check_exported(composed(head, **HEADS[head]))


def test_two_stages_say_why_they_are_not() -> None:
    detector = composed(
        "torchvision/fasterrcnn", neck="fpn", neck_arguments={"channels": 64, "coarser": 0}
    )
    with pytest.raises(ContractError, match="how many regions there are depends on the image"):
        torch.export.export(detector, (prepared(detector, scale=1),), strict=False)


def test_every_bundled_architecture_and_head_is_in_the_table() -> None:
    for kind, known in (("architectures", {*DENSE, "zoo/compose"}), ("heads", {*HEADS})):
        assert {name for name in catalogue().parts(kind) if TWO_STAGE not in name} == known


def test_the_page_of_exports_has_every_bundled_architecture_and_head_in_every_format() -> None:
    page = (Path(__file__).parent.parent / "docs" / "reference" / "exports.md").read_text()
    subjects = {f"| `{name}` |" for name in catalogue().parts("architectures")} - {
        "| `zoo/compose` |"
    }
    subjects |= {f"head `{name.partition('/')[2]}` |" for name in catalogue().parts("heads")}
    for subject, format in product(subjects, ("onnx", "openvino", "torch")):
        assert f"{subject} {format} |" in page, f"{subject} {format}"
