"""The core's own plugin, `zoo`: an architecture and a reader of data sets, through the hooks that
all have; imports no torch."""

from __future__ import annotations

from zoo.registry.hookspecs import Register, RegisterDataset, hookimpl


@hookimpl
def register_architectures(register: Register) -> None:
    """`compose`: any backbone, neck and head whose levels fit, by name."""
    register("compose", "zoo.detectors.compose:build")


@hookimpl
def register_datasets(register: RegisterDataset) -> None:
    """`coco`: COCO's `instances.json`, or a folder of them."""
    coco = "zoo.data.formats.coco"
    register(
        "coco",
        f"{coco}.reader:read",
        suffixes=(".json", ".json.gz"),
        options=f"{coco}.options:CocoOptions",
        write=f"{coco}.writer:write",
    )
