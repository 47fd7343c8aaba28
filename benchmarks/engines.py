"""How many images a second go from JPEG files to detections: the zoo's engines, and the same
written by hand around ONNX Runtime.

YOLOX-Nano at 416x416 with its published weights on COCO images from ../shared/data, or without that
folder on generated JPEG files. By hand: Pillow decodes, OpenCV resizes, a session of ONNX Runtime
runs the graph, and NumPy and torchvision's `batched_nms` make boxes of it, image by image, which is
the fastest such a session is here. Rounds alternate between all ways of doing the work, and ratios
are medians of the rounds' own ratios. Idle threads sleep in every engine.

    python benchmarks/engines.py [--images 128] [--rounds 5] [--threads 2 1] [--engines torch …]
        [--onnx FILE, exported before] [--json OUT]

LibreYOLO, on the same weights, is one more row where it is installed (`pip install libreyolo`).
`bare`: decoding the files, and then the session alone on inputs that are ready: what no way can do
without, one after the other.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: its idle threads sleep as well

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import libre
import numpy as np
import onnxruntime
import PIL.Image
import torch
from detect import SHARED, WEIGHTS, Seconds, image_files, measure_both
from table import report
from torch import Tensor
from torchvision.ops import batched_nms

import zoo
from zoo.detections import Detections
from zoo.detectors import Detector

SIZE = 416
SCORE = 0.3
USED = ("torch", "torchvision", "onnxruntime", "openvino", "numpy", "pillow", "opencv-python")


def nano() -> Detector:
    """YOLOX-Nano in torch."""
    weights = f"file:{WEIGHTS}" if WEIGHTS.is_file() else True
    return zoo.load("yolox_nano", weights=weights, device="cpu")


def graph(folder: str, given: str | None = None) -> str:
    """The exported file of YOLOX-Nano: the one that was given, or a new one in the folder."""
    if given:
        return given
    return str(zoo.export(nano(), to=Path(folder) / "yolox_nano.onnx", exporter="legacy").path)


def jpeg_files(folder: Path, count: int) -> list[Path]:
    """That many JPEG files: COCO's, or generated ones."""
    found = sorted((SHARED / "coco_val2017_128").rglob("*.jpg")) or image_files(folder)
    return found[:count]


@dataclass(frozen=True)
class Boxes:
    """What was found in one image by hand, as `Detections` names it."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


class Bare:
    """A session of ONNX Runtime, and what is around it written by hand. images: RGB arrays."""

    def __init__(self, file: str, threads: int, iou: float) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"]
        )
        self.iou = iou
        sides = [(SIZE // stride, stride) for stride in (8, 16, 32)]
        self.corner = np.concatenate(
            [np.stack(np.meshgrid(*[np.arange(side)] * 2), -1).reshape(-1, 2) for side, _ in sides]
        ).astype(np.float32)
        self.stride = np.concatenate(
            [np.full((side * side, 1), stride, np.float32) for side, stride in sides]
        )

    def __call__(self, images: Sequence[np.ndarray]) -> list[Boxes]:
        pixels, scales = self.prepared(images)
        [values] = self.session.run(None, {"pixels": pixels})
        return [self.decoded(row, scale) for row, scale in zip(values, scales, strict=True)]

    def prepared(self, images: Sequence[np.ndarray]) -> tuple[np.ndarray, list[float]]:
        """The input of the graph, and the scale of each image in it."""
        pixels = np.full((len(images), 3, SIZE, SIZE), 114, np.float32)
        scales = [SIZE / max(image.shape[:2]) for image in images]
        for image, scale, place in zip(images, scales, pixels, strict=True):
            height, width = (int(side * scale) for side in image.shape[:2])
            small = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
            place[:, :height, :width] = small[..., ::-1].transpose(2, 0, 1)
        return pixels, scales

    def decoded(self, values: np.ndarray, scale: float) -> Boxes:
        """The boxes of one image."""
        every = values[:, 4:5] * values[:, 5:]
        labels = every.argmax(1)
        scores = every[np.arange(len(every)), labels]
        kept = scores >= SCORE
        middle = (values[kept, :2] + self.corner[kept]) * self.stride[kept]
        half = np.exp(values[kept, 2:4]) * self.stride[kept] / 2
        boxes = torch.from_numpy(np.concatenate([middle - half, middle + half], 1) / scale)
        found = Boxes(boxes, torch.from_numpy(scores[kept]), torch.from_numpy(labels[kept]))
        best = batched_nms(found.boxes, found.scores, found.labels, self.iou)
        return Boxes(found.boxes[best], found.scores[best], found.labels[best])


def opened(file: Path) -> np.ndarray:
    """The pixels of a file, by Pillow."""
    return np.asarray(PIL.Image.open(file).convert("RGB"))


def by_hand(bare: Bare, files: Sequence[Path]) -> list[Boxes]:
    return [boxes for file in files for boxes in bare([opened(file)])]


def difference(
    found: Sequence[Boxes | Detections], wanted: Sequence[Detections]
) -> tuple[float, float, int]:
    """The largest differences of a score and of a side of a box in pixels, each box beside the
    nearest one of its class; and how many images have another number of boxes."""
    score, side, other = 0.0, 0.0, 0
    for ours, theirs in zip(found, wanted, strict=True):
        if sorted(ours.labels.tolist()) != sorted(theirs.labels.tolist()):
            other += 1
            continue
        if not len(theirs.labels):
            continue
        height, width = theirs.size or (0, 0)
        most = torch.tensor([width, height, width, height])
        boxes = torch.minimum(ours.boxes.clamp(min=0), most)
        apart = torch.cdist(theirs.boxes, boxes, p=float("inf"))
        apart[theirs.labels[:, None] != ours.labels[None]] = float("inf")
        nearest = apart.min(1)
        side = max(side, nearest.values.max().item())
        score = max(score, (theirs.scores - ours.scores[nearest.indices]).abs().max().item())
    return score, side, other


def ways(
    engines: Sequence[str], file: str, files: Sequence[Path], threads: int
) -> dict[str, Callable[[], object]]:
    """Every way from the files to detections, and the two parts of the bare work."""
    torch.set_num_threads(threads)
    detector = nano()
    bare = Bare(file, threads, detector.defaults.iou)
    peer = libre.predictor(SCORE, detector.defaults.iou)
    ready = [bare.prepared([opened(name)])[0] for name in files]
    models = {
        name: detector if name == "torch" else zoo.load(f"file:{file}", engine=name)
        for name in engines
    }
    return {
        **{f"zoo, {name}": partial(model.detect, files) for name, model in models.items()},
        **{
            f"zoo, {name}, batch_size=1": partial(model.detect, files, batch_size=1)
            for name, model in models.items()
            if name != "torch"
        },
        "by hand, onnxruntime": lambda: by_hand(bare, files),
        **({"LibreYOLO, torch": lambda: peer(files)} if peer else {}),
        "decoding": lambda: [opened(name) for name in files],
        "session": lambda: [bare.session.run(None, {"pixels": pixels}) for pixels in ready],
    }


def median_of(rounds: Sequence[Seconds], name: str) -> float:
    return statistics.median(one[name] for one in rounds)


def rows(
    works: dict[str, Callable[[], object]], images: int, rounds: int, threads: int
) -> list[dict[str, str]]:
    """A row a way; the last is the bare work."""
    found: dict[str, Any] = {name: work() for name, work in works.items() if "," in name}
    taken, computed = measure_both(works, rounds)
    for one in [*taken, *computed]:
        one["bare"] = one["decoding"] + one["session"]

    def ratio(top: str, bottom: str) -> str:
        kept: list[Seconds] = [one for one in taken if top in one and bottom in one]
        return f"{statistics.median(one[top] / one[bottom] for one in kept):.2f}" if kept else ""

    table = []
    for name in [*found, "bare"]:
        score, side, other = ("", "", "")
        if name in found and "zoo, torch" in found and name != "zoo, torch":
            apart = difference(found[name], found["zoo, torch"])
            score, side, other = f"{apart[0]:.1e}", f"{apart[1]:.1e}", str(apart[2])
        table.append(
            {
                "threads": str(threads),
                "files to detections": name,
                "images/s": f"{images / statistics.median(one[name] for one in taken):.1f}",
                "processor ms": f"{1000 * median_of(computed, name) / images:.1f}",
                "times eager torch": ratio("zoo, torch", name),
                "time to by hand": ratio(name, "by hand, onnxruntime"),
                "time to bare": ratio(name, "bare"),
                "score": score,
                "box": side,
                "other": other,
            }
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--engines", nargs="+", default=["torch", "onnxruntime", "openvino"])
    parser.add_argument("--onnx", help="an exported YOLOX-Nano; else it is exported first")
    parser.add_argument("--json")
    asked = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory() as folder:
        file = graph(folder, asked.onnx)
        files = jpeg_files(Path(folder), asked.images)
        for threads in asked.threads:
            works = ways(asked.engines, file, files, threads)
            table += rows(works, len(files), asked.rounds, threads)
    report(
        f"{len(files)} JPEG files to detections: YOLOX-Nano",
        table,
        distributions=(*libre.distributions(), *USED),
        notes=[
            "bare: decoding the files and the session alone, one after the other.",
            "score, box: the largest differences from eager torch, a box's in pixels; other: images"
            " with other boxes.",
        ],
        to=asked.json,
    )


if __name__ == "__main__":
    main()
