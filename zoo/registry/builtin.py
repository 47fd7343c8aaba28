"""The core's own plugin, `zoo`: an architecture, formats of data sets, engines and trackers,
through the hooks that all have; imports no torch."""

from __future__ import annotations

from zoo.registry.hookspecs import Register, RegisterDataset, hookimpl

FORMATS = "zoo.data.formats"


@hookimpl
def register_architectures(register: Register) -> None:
    """`compose`: any backbone, neck and head whose levels fit, by name."""
    register("compose", "zoo.detectors.compose:build")


@hookimpl
def register_datasets(register: RegisterDataset) -> None:
    """`coco`, `voc`, `yolo`, `csv`, `hub` and `hub-folder`."""
    everything = ("area", "crowd", "box ids", "image ids", "splits", "class ids")
    register(
        "coco",
        f"{FORMATS}.coco.reader:read",
        suffixes=(".json", ".json.gz"),
        options=f"{FORMATS}.coco.options:CocoOptions",
        write=f"{FORMATS}.coco.writer:write",
        holds=(*everything, "masks", "extras", "unused classes"),
        recognise=f"{FORMATS}.coco.folder:recognise",
    )
    register(
        "voc",
        f"{FORMATS}.voc.reader:read",
        options=f"{FORMATS}.voc.options:VocOptions",
        write=f"{FORMATS}.voc.writer:write",
        holds=("splits", "difficult", "truncated", "occluded", "unused classes", "class order"),
        recognise=f"{FORMATS}.voc.reader:recognise",
        images="JPEGImages",
    )
    register(
        "yolo",
        f"{FORMATS}.yolo.reader:read",
        suffixes=(".yaml", ".yml"),
        options=f"{FORMATS}.yolo.options:YoloOptions",
        write=f"{FORMATS}.yolo.writer:write",
        holds=("splits", "unused classes", "class order"),
        recognise=f"{FORMATS}.yolo.reader:recognise",
    )
    register(
        "csv",
        f"{FORMATS}.csv.reader:read",
        suffixes=(".csv",),
        options=f"{FORMATS}.csv.options:CsvOptions",
        write=f"{FORMATS}.csv.writer:write",
        holds=(*everything, "difficult", "truncated", "occluded", "attributes", "image attributes"),
        recognise=f"{FORMATS}.csv.reader:recognise",
    )
    _register_hub(register)


def _register_hub(register: RegisterDataset) -> None:
    """Data sets of the Hub, by name and in folders."""
    register("hub", f"{FORMATS}.hub.reader:read", options=f"{FORMATS}.hub.options:HubOptions")
    register(
        "hub-folder",
        f"{FORMATS}.hub.reader:read_folder",
        options=f"{FORMATS}.hub.options:HubOptions",
        write=f"{FORMATS}.hub.writer:write",
        holds=(
            *("area", "crowd", "box ids", "image ids", "splits", "unused classes", "class order"),
            *("difficult", "truncated", "occluded", "attributes", "image attributes"),
        ),
        recognise=f"{FORMATS}.hub.reader:recognise",
    )


@hookimpl
def register_engines(register: Register) -> None:
    """`onnxruntime`, `openvino`, `torch` and `compile`, and `auto`, the fastest of all that
    agree."""
    register("auto", "zoo.engines.auto:build")
    register("first", "zoo.engines.auto:build_first")
    for name in ("onnxruntime", "openvino", "torch"):
        register(name, f"zoo.engines.builders:{name}")
    register("compile", "zoo.engines.builders:compiled")


@hookimpl
def register_trackers(register: Register) -> None:
    """`bytetrack`, `sort`, `ocsort`, `cbiou` and `botsort`, of the package `trackers`."""
    for name in ("bytetrack", "sort", "ocsort", "cbiou", "botsort"):
        register(name, f"zoo.video.track:{name}")
