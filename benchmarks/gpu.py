"""How fast models detect on a GPU: beside a loop written by hand, by size of the batch, and what a
batch costs in memory.

Networks have random weights, and the threshold is the score that leaves about 100 candidates an
image, so that suppression has as much to do as with trained ones. `by hand` is plain torch with the
same preprocessing: for YOLOX interpolate, the network, and torchvision's batched_nms on the GPU;
for Faster R-CNN torchvision's own network. Rounds alternate between all ways; numbers are medians,
ratios are medians of the rounds' own ratios. `files` are JPEG, decoded on the processor meanwhile.

    python benchmarks/gpu.py [--rounds 5] [--models yolox_nano yolox_s …] [--device cuda] [--json
    OUT]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from detect import IMAGES, image_files, measure, median
from detzoo_yolox.outputs import to_boxes
from table import report
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.ops import batched_nms

import zoo
from zoo.detectors import Batch, Detector, Protocol
from zoo.evaluate import Evaluator, GroundTruth
from zoo.images import read
from zoo.inference.batch_limit import BatchLimit
from zoo.inference.detect import detect
from zoo.labels import LabelSpace

MODELS = ["yolox_nano", "yolox_s", "yolox_l", "fasterrcnn_resnet50_fpn"]
BATCHES = (1, 2, 4, 8, 16, 32)
USED = ["torch", "torchvision", "pillow"]
Way = Callable[[], object]


def model(name: str, device: torch.device, images: Sequence[Tensor]) -> Detector:
    """The model with random weights, the same ones each time, and norms that fit them: else what
    they see vanishes."""
    torch.manual_seed(0)
    detector = zoo.load(name, weights=False, device=device)

    def measure_norm(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        norm.get_buffer("running_mean").copy_(mean)
        norm.get_buffer("running_var").copy_(variance)

    norms = [
        module
        for module in detector.modules()
        if isinstance(getattr(module, "running_mean", None), Tensor)
    ]
    hooks = [one.register_forward_pre_hook(measure_norm) for one in norms]
    with torch.no_grad():
        detector(detector.preprocess(list(images[:2]), device=detector.device))
    for hook in hooks:
        hook.remove()
    return detector


def threshold(detector: Detector, tensors: Sequence[Tensor]) -> float:
    """The score that about 100 boxes an image reach."""
    seen = detector.detect(list(tensors[:8]), score=0.0, max_boxes=100, progress=False)
    return float(np.median([float(one.scores[-1]) for one in seen]))


def chunks(tensors: Sequence[Tensor], batch: int) -> Iterator[Sequence[Tensor]]:
    return (tensors[start : start + batch] for start in range(0, len(tensors), batch))


def yolox_by_hand(
    detector: Detector, tensors: Sequence[Tensor], batch: int, score: float
) -> list[tuple[Tensor, ...]]:
    found: list[tuple[Tensor, ...]] = []
    side = detector.input_size(1, 1)[0]
    for chunk in chunks(tensors, batch):
        with torch.inference_mode():
            pixels = torch.full((len(chunk), 3, side, side), 114.0, device=detector.device)
            scales = [side / max(image.shape[1:]) for image in chunk]
            for image, canvas, scale in zip(chunk, pixels, scales, strict=True):
                height, width = int(image.shape[1] * scale), int(image.shape[2] * scale)
                there = image.to(detector.device, non_blocking=True)[None].float()
                resized = interpolate(
                    there, size=(height, width), mode="bilinear", align_corners=False
                )[0]
                canvas[:, :height, :width] = resized.round().flip(0)
            outputs = detector(Batch(pixels, ()))
            boxes = to_boxes(outputs.values, outputs.cells())
            scores, labels = (outputs.values[..., 4:5] * outputs.values[..., 5:]).max(dim=-1)
            for row, scale in enumerate(scales):
                keep = scores[row] >= score
                one = boxes[row][keep], scores[row][keep], labels[row][keep]
                kept = batched_nms(*one, 0.65)
                found.append(((one[0][kept] / scale).cpu(), one[1][kept].cpu(), one[2][kept].cpu()))
    return found


def torchvision_by_hand(
    detector: Detector, tensors: Sequence[Tensor], batch: int, score: float
) -> list[tuple[Tensor, ...]]:
    found: list[tuple[Tensor, ...]] = []
    for chunk in chunks(tensors, batch):
        with torch.inference_mode():
            images = [image.to(detector.device, non_blocking=True).float() / 255 for image in chunk]
            for one in detector.get_submodule("net")(images):
                keep = one["scores"] >= score
                found.append(
                    (one["boxes"][keep].cpu(), one["scores"][keep].cpu(), one["labels"][keep].cpu())
                )
    return found


def ways_of(
    detector: Detector, tensors: list[Tensor], files: list[Path], batch: int
) -> dict[str, Way]:
    """Every way of the same work."""
    score = threshold(detector, tensors)
    hand = yolox_by_hand if "yolox" in str(detector.name) else torchvision_by_hand

    def seen(sources: list[Tensor] | list[Path], precision: str = "float32") -> Way:
        protocol = Protocol(score=score, iou=0.65, precision=precision)  # type: ignore[arg-type]
        return partial(detect, detector, sources, protocol=protocol, progress=False)

    return {
        "by hand": partial(hand, detector, tensors, batch, score),
        "detect": seen(tensors),
        "float16": seen(tensors, "float16"),
        "bfloat16": seen(tensors, "bfloat16"),
        "files": seen(files),
    }


def throughput(
    names: Sequence[str],
    tensors: list[Tensor],
    files: list[Path],
    device: torch.device,
    rounds: int,
) -> list[dict[str, object]]:
    rows = []
    for name in names:
        detector = model(name, device, tensors)
        size = detector.input_size(*tensors[0].shape[1:])
        batch = BatchLimit("auto", device)(size)
        taken = measure(ways_of(detector, tensors, files, batch), rounds)
        speed = {way: f"{len(tensors) / median(taken, itemgetter(way)):.4g}" for way in taken[0]}
        rows.append(
            {
                "model": name,
                "input": f"{size[0]}x{size[1]}",
                "batch": batch,
                "by hand, images/s": speed["by hand"],
                "detect(tensors)": speed["detect"],
                "of by hand": f"{median(taken, lambda one: one['by hand'] / one['detect']):.2f}",
                "in float16": speed["float16"],
                "in bfloat16": speed["bfloat16"],
                "detect(files)": speed["files"],
            }
        )
    return rows


def by_batch(
    names: Sequence[str], tensors: list[Tensor], device: torch.device, rounds: int
) -> list[dict[str, object]]:
    """Images a second in batches of each size, and the memory that an input pixel takes in the
    largest."""
    rows: list[dict[str, object]] = []
    for name in names:
        detector = model(name, device, tensors)
        score = threshold(detector, tensors)
        protocol = Protocol(score=score, iou=0.65)
        ways = {
            str(size): partial(
                detect, detector, tensors, protocol=protocol, batch_size=size, progress=False
            )
            for size in BATCHES
        }
        taken = measure(ways, rounds)
        row: dict[str, object] = {"model": name}
        row |= {way: f"{len(tensors) / median(taken, itemgetter(way)):.4g}" for way in ways}
        memory = _bytes_a_pixel(detector, tensors) if device.type == "cuda" else "–"
        rows.append(row | {"bytes an input pixel": memory})
    return rows


def _bytes_a_pixel(detector: Detector, tensors: list[Tensor]) -> str:
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated(detector.device)
    torch.cuda.reset_peak_memory_stats(detector.device)
    count = BATCHES[-1]
    detector.detect(tensors[:count], batch_size=count, progress=False)
    height, width = detector.input_size(*tensors[0].shape[1:])
    used = torch.cuda.max_memory_allocated(detector.device) - before
    return f"{used / (count * height * width):.0f}"


def evaluating(
    device: torch.device, rounds: int, *, images: int = 5000, boxes: int = 100
) -> list[dict[str, object]]:
    """Seconds to twelve numbers from tensors here and there, in batches of 32 images."""
    chance = np.random.default_rng(0)
    label_space = LabelSpace("custom", tuple(f"class {number}" for number in range(80)))
    where = np.repeat(np.arange(images), 7)
    corner, sides = chance.uniform(0, 400, (len(where), 2)), chance.uniform(8, 200, (len(where), 2))
    truth = GroundTruth.of(
        {"id": np.arange(images), "width": np.full(images, 640), "height": np.full(images, 640)},
        {
            "image": where,
            "label": chance.integers(0, 80, len(where)),
            "box": np.hstack([corner, sides]),
            "area": sides.prod(axis=1),
            "crowd": np.zeros(len(where), bool),
            "id": np.arange(len(where)),
        },
        label_space=label_space,
        box_format="xywh",
        name="made up",
    )
    corners = torch.rand(images, boxes, 2) * 400
    found = {"boxes": torch.cat([corners, corners + 8 + torch.rand(images, boxes, 2) * 200], dim=2)}
    found |= {"scores": torch.rand(images, boxes), "labels": torch.randint(0, 80, (images, boxes))}

    def run(columns: dict[str, Tensor]) -> dict[str, float]:
        evaluator = Evaluator(truth, analyses=False)
        for start in range(0, images, 32):
            stop = min(start + 32, images)
            part = [
                {name: values[row] for name, values in columns.items()}
                for row in range(start, stop)
            ]
            evaluator.update(list(range(start, stop)), part)
        return evaluator.numbers()

    there = {name: values.to(device) for name, values in found.items()}
    ways = {"cpu": partial(run, found), str(device): partial(run, there)}
    same = run(found) == run(there)
    taken = measure(ways, rounds)
    seconds = {way: f"{median(taken, itemgetter(way)):.2f}" for way in ways}
    return [
        {"tensors on": way, "seconds": seconds[way], "same numbers": "yes" if same else "NO"}
        for way in ways
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--evaluated-images", type=int, default=5000)
    parser.add_argument("--json")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            f"Skipped: it needs a GPU that torch can use, and torch {torch.__version__} sees none."
        )
        return
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    with tempfile.TemporaryDirectory() as folder:
        files = image_files(Path(folder))[: asked.images]
        tensors = [read(file).pixels for file in files]
        rows = throughput(asked.models, tensors, files, device, asked.rounds)
        report(
            f"Images a second on {name}: {len(files)} images of 640x480", rows, distributions=USED
        )
        rows = by_batch(asked.models, tensors, device, asked.rounds)
        report(
            f"\nImages a second by size of the batch on {name}: detect(tensors)",
            rows,
            distributions=USED,
        )
    rows = evaluating(device, asked.rounds, images=asked.evaluated_images)
    title = (
        f"\nTwelve numbers of {100 * asked.evaluated_images:,} detections, from tensors on {name} "
        f"and here"
    )
    report(title, rows, distributions=[*USED, "numpy"], to=asked.json)


if __name__ == "__main__":
    main()
