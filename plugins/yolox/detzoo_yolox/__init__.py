"""The YOLOX family as a plugin; importing it imports no torch."""

from zoo import hookimpl
from zoo.registry.hookspecs import Register


@hookimpl
def register_architectures(register: Register) -> None:
    """The seven published sizes are one architecture with different arguments."""
    register("yolox", "detzoo_yolox.detector:build")


@hookimpl
def register_backbones(register: Register) -> None:
    """CSPDarknet at any depth and width, and the Darknet-53 of YOLOv3 with its pyramid pooling."""
    register("cspdarknet", "detzoo_yolox.backbone:CSPDarknet")
    register("darknet53", "detzoo_yolox.darknet:Darknet53")


@hookimpl
def register_necks(register: Register) -> None:
    """The path aggregation pyramid of YOLOX, and the feature pyramid of YOLOv3."""
    register("pafpn", "detzoo_yolox.neck:PAFPN")
    register("yolofpn", "detzoo_yolox.neck:YOLOFPN")


@hookimpl
def register_heads(register: Register) -> None:
    """The decoupled, anchor-free head."""
    register("yolox", "detzoo_yolox.head:DecoupledHead")
