"""Every timm network that gives feature maps, as a backbone; importing it imports neither torch nor
timm."""

from zoo import hookimpl
from zoo.registry.hookspecs import Register


@hookimpl
def register_backbones(register: Register) -> None:
    """The whole family at once: `timm/resnet18` and every other name that timm has."""
    register("*", "detzoo_timm.backbone:build")
