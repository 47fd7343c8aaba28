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
