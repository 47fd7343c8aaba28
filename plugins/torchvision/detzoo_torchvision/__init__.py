"""Torchvision's twelve detection architectures as a plugin; importing it imports no torch."""

from zoo import hookimpl
from zoo.registry.hookspecs import Register

ARCHITECTURES = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fcos_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
)


@hookimpl
def register_architectures(register: Register) -> None:
    """Each under the name of torchvision's own builder."""
    for name in ARCHITECTURES:
        register(name, f"detzoo_torchvision.architectures:{name}")


BACKBONES = (
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "resnext50_32x4d",
    "wide_resnet101_2",
    "wide_resnet50_2",
)


@hookimpl
def register_backbones(register: Register) -> None:
    """ResNets and MobileNets under torchvision's names, for composing."""
    for name in BACKBONES:
        register(name, f"detzoo_torchvision.parts.backbones:{name}")


@hookimpl
def register_necks(register: Register) -> None:
    """The feature pyramid, and EfficientDet's weighted one."""
    register("fpn", "detzoo_torchvision.parts.fpn:FPN")
    register("bifpn", "detzoo_torchvision.parts.bifpn:BiFPN")


@hookimpl
def register_heads(register: Register) -> None:
    """One look at every anchor; or proposals first, then a look at each."""
    register("retinanet", "detzoo_torchvision.parts.dense:RetinaNet")
    register("fcos", "detzoo_torchvision.parts.dense:FCOS")
    register("ssd", "detzoo_torchvision.parts.dense:SSD")
    register("fasterrcnn", "detzoo_torchvision.parts.two_stage:FasterRCNN")
