"""Writes docs/reference/exports.md: which architecture is exported to which format, how long that
takes, and how far the file is from torch; each in a process of its own.

`--only NAME` tries one model and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from textwrap import fill
from time import process_time
from typing import Any

import torch
import yaml

import zoo
from zoo.errors import ZooError
from zoo.registry import Choice, Entry
from zoo.testing import Model

HERE = Path(__file__).parent
PAGE = HERE / "reference" / "exports.md"
SUBJECTS: dict[str, Any] = yaml.safe_load((HERE / "conformance.yaml").read_text())
FORMATS = {"onnx": "model.onnx", "openvino": "openvino", "torch": "model.pt2"}
TRAINED = ("yolox_pico", "retinanet_pico", "fasterrcnn_pico")
SMALL = (
    "fcos_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
    "ssdlite320_mobilenet_v3_large",
    "ssd300_vgg16",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
    "keypointrcnn_resnet50_fpn",
)
COMPOSED = {
    "timm-fpn-fcos": {"backbone": "timm/test_resnet", "neck": "fpn", "head": "fcos"},
    "timm-pafpn-ssd": {"backbone": "timm/test_resnet", "neck": "pafpn", "head": "ssd"},
    "timm-pafpn-yolox": {"backbone": "timm/test_resnet", "neck": "pafpn", "head": "yolox"},
}
NAMES = (*TRAINED, *SMALL, *COMPOSED)
INTRODUCTION = """
Which architecture can be exported to which format; made by `docs/build_exports.py`. {trained} have their weights, the
others random ones and the small inputs of `docs/conformance.yaml`. Each export ran in a process of its own. *Seconds*
are those of the processor, and *GB* the most memory, of the whole export with its comparison with torch. *Difference*
is the largest of any output, *score* and *box* (in pixels) the largest of a detection, over {images} images, one, two
and three at once. Files that differ by more than the [parity gate](../howto/export.md) allows are not written.
"""
TABLE = """
| model | architecture | format | batch | exporter | seconds | GB | difference | score | box | detections |
|---|---|---|---|---|---|---|---|---|---|---|
"""
REFUSED = """
## What can't be exported

Run these with the engine `torch` or `compile`.

| model | architecture | format | reason |
|---|---|---|---|
"""


def detector(name: str) -> zoo.Detector:
    """The detector of a row."""
    if name in TRAINED:
        return zoo.load(name, device="cpu")
    if name in COMPOSED:
        sizes = {"resize": "letterbox", "size": [96, 96], "mean": [0.5] * 3, "std": [0.25] * 3}
        return zoo.compose(**COMPOSED[name], labels=["red", "green", "blue"], input=sizes)
    subject = SUBJECTS["models"][name]
    model = Model.named(name, arguments=subject.get("arguments"), input=subject.get("input"))
    built = model.detector
    built.choice = Choice(Entry(name, "torchvision", model.need_card(), ""), None, None)
    return built


def attempt(name: str, format: str) -> dict[str, Any]:
    """What one export came to."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        subject = detector(name)
        begun = process_time()
        try:
            made = zoo.export(subject, to=Path(folder) / FORMATS[format], progress=False)
        except ZooError as error:
            return {"reason": " ".join(error.case.split())}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    parity = made.parity
    return {
        "batch": made.batch or "any",
        "exporter": made.exporter,
        "seconds": round(process_time() - begun, 1),
        "peak": round(peak, 2),
        "worst": parity.worst,
        "score": parity.score,
        "box": parity.box,
        "detections": parity.detections,
        "images": parity.images,
    }


def tried(name: str, format: str) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--row", name, format]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"reason": done.stderr.strip().splitlines()[-1]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def line(name: str, format: str, row: dict[str, Any]) -> str:
    """A line of the table."""
    start = f"| `{name}` | {architecture(name)} | {format} |"
    if "reason" in row:
        return f"{start} {row['reason'][:200].replace('|', '/')} |\n"
    distances = f"{row['worst']:.1e} | {row['score']:.1e} | {row['box']:.1e}"
    cells = f"{row['batch']} | {row['exporter']} | {row['seconds']} | {row['peak']} | {distances}"
    return f"{start} {cells} | {row['detections']} |\n"


def architecture(name: str) -> str:
    """The architecture of a row; of a composed one with its head."""
    if name in COMPOSED:
        return f"`zoo/compose`, head `{COMPOSED[name]['head']}`"
    card = zoo.catalogue().resolve(name).entry.card
    head = card.arguments.get("head")
    return f"`{card.architecture}`" + (f", head `{head}`" if head else "")


def page(rows: Sequence[tuple[str, str, dict[str, Any]]]) -> str:
    """The whole page, of a model, a format and what came of it in each row."""
    *first, last = [f"`{name}`" for name in TRAINED]
    images = max(row.get("images", 0) for _, _, row in rows)
    said = INTRODUCTION.format(trained=f"{', '.join(first)} and {last}", images=images)
    introduction = fill(" ".join(said.split()), 120, break_on_hyphens=False)
    exported = [line(*row) for row in rows if "reason" not in row[2]]
    refused = [line(*row) for row in rows if "reason" in row[2]]
    return "".join(["# Exports\n\n", introduction, "\n", TABLE, *exported, REFUSED, *refused])


def main() -> None:
    """Tries every model in every format."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", action="append", help="try this model")
    parser.add_argument("--row", nargs=2, metavar=("NAME", "FORMAT"), help="one row, as JSON")
    asked = parser.parse_args()
    if asked.row:
        print(json.dumps(attempt(*asked.row)))
        return
    rows: list[tuple[str, str, dict[str, Any]]] = []
    for name, format in product(asked.only or NAMES, FORMATS):
        rows.append((name, format, tried(name, format)))
        print(line(*rows[-1]), end="", flush=True)
    if not asked.only:
        PAGE.write_text(page(rows))


if __name__ == "__main__":
    main()
