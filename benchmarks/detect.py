"""What `detect` adds to the network, and how much of the decoding it hides behind it.

YOLOX-Nano at 416x416 on 64 COCO images from ../shared/data with its published weights (what there
is to decode depends on them), or without that folder on generated JPEG files with random ones.
Rounds alternate between all ways of doing the work; seconds are medians, ratios are medians of the
rounds' own ratios, so that a busy machine slows both sides alike.

    python benchmarks/detect.py [--rounds 9] [--torch-threads 2 1] [--json OUT]

Ready tensors: `by hand` calls preprocess, network and decode on the batches that `detect` makes.
JPEG files: decoding first and detecting then takes longer than the network alone; `hidden` is the
share of that which detect(files) saves.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from detzoo_yolox.detector import build
from PIL import Image
from safetensors.torch import load_file
from table import report

from zoo import labels
from zoo.detectors import Detector, Protocol
from zoo.detectors.checkpoint import assign
from zoo.images import read
from zoo.inference.batch_limit import BatchLimit

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
WEIGHTS = SHARED / "yolox_nano" / "yolox_nano_fused.safetensors"
IMAGES = 64
Seconds = dict[str, float]


def yolox_nano() -> Detector:
    detector = build(
        label_space=labels.get("coco80"), depth=0.33, width=0.25, depthwise=True, size=416
    ).eval()
    if WEIGHTS.is_file():
        assign(detector, load_file(WEIGHTS), failure="Loading the benchmark's weights.")
    return detector


def image_files(folder: Path) -> list[Path]:
    """64 JPEG files: COCO's, or smooth noise of their usual sizes."""
    found = sorted((SHARED / "coco_val2017_128").rglob("*.jpg"))[:IMAGES]
    if found:
        return found
    chance = np.random.default_rng(0)
    for number in range(IMAGES):
        size = (640, 480) if number % 3 else (480, 640)
        rough = chance.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC).save(
            folder / f"{number:02}.jpg", quality=90
        )
    return sorted(folder.glob("*.jpg"))


def by_hand(detector: Detector, tensors: Sequence[torch.Tensor], batch: int) -> None:
    with torch.inference_mode():
        for start in range(0, len(tensors), batch):
            prepared = detector.preprocess(
                tensors[start : start + batch], device=detector.device, dtype=detector.dtype
            )
            detector.decode(
                detector(prepared), prepared, Protocol(score=0.3).thresholds(detector.defaults)
            )


def measure(ways: Mapping[str, Callable[[], object]], rounds: int) -> list[Seconds]:
    """Seconds of every way in every round, the order turning from round to round."""
    return measure_both(ways, rounds)[0]


def measure_both(
    ways: Mapping[str, Callable[[], object]], rounds: int
) -> tuple[list[Seconds], list[Seconds]]:
    """The same, and the seconds of the processor, of all threads of this process."""
    names = list(ways)
    taken, computed = [], []
    for number in range(rounds + 1):
        one: Seconds = {}
        own: Seconds = {}
        for name in names[number % len(names) :] + names[: number % len(names)]:
            begun, before = time.perf_counter(), time.process_time()
            ways[name]()
            one[name], own[name] = time.perf_counter() - begun, time.process_time() - before
        taken.append(one)
        computed.append(own)
    return taken[1:], computed[1:]  # the first warms up


def median(rounds: list[Seconds], value: Callable[[Seconds], float]) -> float:
    return statistics.median(value(one) for one in rounds)


def hidden(one: Seconds) -> float:
    return (one["first and then"] - one["detect"]) / (one["first and then"] - one["network"])


def of_tensors(detector: Detector, tensors: Sequence[torch.Tensor], rounds: int) -> list[Seconds]:
    """The same work by hand and by `detect`, on images that are in memory already."""
    batch = BatchLimit("auto", detector.device)(detector.input_size(480, 640))
    return measure(
        {
            "by hand": lambda: by_hand(detector, tensors, batch),
            "detect": lambda: detector.detect(tensors),
        },
        rounds,
    )


def compare(
    detector: Detector, files: Sequence[Path], rounds: int
) -> tuple[list[Seconds], list[Seconds]]:
    tensors = [read(file).pixels for file in files]
    ready = of_tensors(detector, tensors, rounds)
    ways: dict[str, Callable[[], object]] = {
        "decode": lambda: [read(file) for file in files],
        "network": lambda: detector.detect(tensors),
        "first and then": lambda: detector.detect([read(file).pixels for file in files]),
        "detect": lambda: detector.detect(files),
    }
    return ready, measure(ways, rounds)


def tensor_row(rounds: list[Seconds]) -> dict[str, str]:
    """Medians of detection on tensors."""
    overhead = median(rounds, lambda one: one["detect"] / one["by hand"] - 1)
    return {
        "by hand, s": f"{median(rounds, lambda one: one['by hand']):.3f}",
        "detect(tensors), s": f"{median(rounds, lambda one: one['detect']):.3f}",
        "overhead": f"{overhead:+.1%}",
    }


def file_row(rounds: list[Seconds]) -> dict[str, str]:
    """Medians of detection on files."""
    return {
        "decode alone, s": f"{median(rounds, lambda one: one['decode']):.3f}",
        "network alone, s": f"{median(rounds, lambda one: one['network']):.3f}",
        "decode, then detect, s": f"{median(rounds, lambda one: one['first and then']):.3f}",
        "detect(files), s": f"{median(rounds, lambda one: one['detect']):.3f}",
        "hidden": f"{median(rounds, hidden):.0%}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--torch-threads",
        type=int,
        nargs="+",
        default=sorted({torch.get_num_threads(), 1}, reverse=True),
    )
    parser.add_argument("--json")
    asked = parser.parse_args()
    detector = yolox_nano()
    tensor_rows, file_rows = [], []
    with tempfile.TemporaryDirectory() as folder:
        files = image_files(Path(folder))
        for threads in asked.torch_threads:
            torch.set_num_threads(threads)
            ready, read_too = compare(detector, files, asked.rounds)
            tensor_rows.append({"torch threads": threads, **tensor_row(ready)})
            file_rows.append({"torch threads": threads, **file_row(read_too)})
    source = (
        "COCO images, published weights"
        if WEIGHTS.is_file()
        else "generated JPEG files, random weights"
    )
    used = ["torch", "numpy", "pillow"]
    report(
        f"detect() on {IMAGES} ready tensors: YOLOX-Nano, {source}",
        tensor_rows,
        distributions=used,
    )
    print()
    report(
        f"detect() on {IMAGES} JPEG files: YOLOX-Nano, {source}",
        file_rows,
        distributions=used,
        to=asked.json,
    )


if __name__ == "__main__":
    main()
