"""How many images a second the loader feeds, beside torchvision's reference pipeline: decode,
augment, and collate to the network's input.

Both read the same images, mirror half of them, scale them by 0.5 to 1.5, change brightness,
contrast, saturation and hue, and resize to the same input, with the same number of workers. The
peer is `CocoDetection` with transforms v2 on tensors of bytes, and torch's `DataLoader`. Rounds of
all pipelines alternate. In the first epoch every image is decoded; the zoo keeps the latest ones,
256 MB of them, and finds these in later epochs. Without workers, seconds are those of this
process's processor, so that others that run there do not change them; with workers, those on the
clock.

    python benchmarks/loader.py [--data FOLDER with instances.json and val2017]
        [--size 640] [--workers 0] [--images 128] [--rounds 3] [--plain] [--device cpu]
        [--json OUT]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from table import report
from torch.utils.data import DataLoader
from torchvision import datasets, tv_tensors
from torchvision.transforms import v2
from unsaved import Unsaved

import zoo
from zoo.data import Dataset
from zoo.detectors.preprocess import CardPreprocess
from zoo.registry.card import Input
from zoo.train.loop import run
from zoo.train.recipe import Augmentation, Color, Flip, Mosaic, Optimizer, Recipe, Zoom
from zoo.train.samples import Samples, micro_batches
from zoo.train.setup import accelerator_of, training_of

BATCH = 8
DATA = Path(__file__).parents[1] / "../shared/data/coco_val2017_128"
PLAIN: tuple[Augmentation, ...] = (Flip(), Zoom(), Color())
Clock = Callable[[], float]


def ours(
    dataset: Dataset, options: argparse.Namespace, *augment: Augmentation, epochs: int = 1
) -> Samples:
    """The loader of a run of that many times `images`."""
    recipe = Recipe(batch_size=BATCH, augment=augment, workers=options.workers, plain_share=0.0)
    rule = Input(resize="letterbox", size=[options.size] * 2, range=1)
    lookup = torch.arange(len(dataset.label_space))
    return Samples(
        dataset, lookup, CardPreprocess(rule), recipe, epochs * (options.images // BATCH)
    )


def by_zoo(samples: Samples, clock: Clock, *, before: int = 0) -> tuple[int, float]:
    """Runs through all batches; how many images there were behind the first `before` batches, and
    the seconds they took."""
    images, started = 0, clock()
    for step, parts in micro_batches(samples):
        images += sum(len(micro_batch.batch) for micro_batch in parts)
        if step + 1 == before:
            images, started = 0, clock()
    return images, clock() - started


class Peer(datasets.CocoDetection):  # type: ignore[misc]
    """Images and boxes as transforms v2 take them."""

    def __init__(self, folder: Path, transform: Callable[..., Any], images: int) -> None:
        super().__init__(str(folder / "val2017"), str(folder / "instances.json"))
        self.transform_both, self.images = transform, images

    def __len__(self) -> int:
        return self.images

    def __getitem__(self, row: int) -> Any:
        image, objects = super().__getitem__(row % len(self.ids))
        boxes = torch.tensor([one["bbox"] for one in objects]).reshape(-1, 4)
        width, height = image.size
        boxes = tv_tensors.BoundingBoxes(boxes, format="XYWH", canvas_size=(height, width))
        labels = torch.tensor([one["category_id"] for one in objects])
        return self.transform_both(image, {"boxes": boxes, "labels": labels})


def peer(folder: Path, options: argparse.Namespace) -> DataLoader[Any]:
    """The reference pipeline."""
    size = (options.size, options.size)
    transform = v2.Compose(
        [
            v2.ToImage(),
            v2.RandomHorizontalFlip(0.5),
            v2.ScaleJitter(target_size=size, scale_range=(0.5, 1.5), antialias=True),
            v2.RandomCrop(size, pad_if_needed=True, fill=114),
            *([] if options.plain else [v2.ColorJitter(0.3, 0.3, 0.3, 0.02)]),
            v2.SanitizeBoundingBoxes(),
            v2.Resize(size, antialias=True),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    data = Peer(folder, transform, options.images)
    return DataLoader(data, BATCH, num_workers=options.workers, collate_fn=_collated)


def _collated(found: list[Any]) -> tuple[torch.Tensor, list[Any]]:
    images, targets = zip(*found, strict=True)
    return torch.stack(images), list(targets)


def by_peer(loader: DataLoader[Any], clock: Clock) -> tuple[int, float]:
    """Runs through all batches; how many images there were, and the seconds they took."""
    started = clock()
    images = sum(len(images) for images, _ in loader)
    return images, clock() - started


def measured(folder: Path, options: argparse.Namespace) -> list[dict[str, str]]:
    """A row a pipeline."""
    dataset = zoo.data.read(folder / "instances.json")
    theirs = peer(folder, options)
    steps = PLAIN[:-1] if options.plain else PLAIN
    mixed = (Mosaic(probability=1.0), *steps)
    clock = time.perf_counter if options.workers else time.process_time
    epoch = options.images // BATCH

    def first(*augment: Augmentation) -> tuple[int, float]:
        return by_zoo(ours(dataset, options, *augment), clock)

    def later(*augment: Augmentation) -> tuple[int, float]:
        return by_zoo(ours(dataset, options, *augment, epochs=2), clock, before=epoch)

    works: dict[str, Callable[[], tuple[int, float]]] = {
        "torchvision": lambda: by_peer(theirs, clock),
        "zoo, first epoch": lambda: first(*steps),
        "zoo, later epochs": lambda: later(*steps),
        "zoo, mosaic, first epoch": lambda: first(*mixed),
        "zoo, mosaic, later epochs": lambda: later(*mixed),
    }
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(options.rounds + 1):
        for name, work in works.items():
            images, taken = work()
            if number:  # the first round warms up
                seconds[name].append(taken / images)
    each = {name: statistics.median(found) for name, found in seconds.items()}
    return [
        {
            "pipeline": name,
            "images/s": f"{1 / each[name]:.1f}",
            "ms an image": f"{1000 * each[name]:.1f}",
            "to torchvision": f"{each['torchvision'] / each[name]:.2f}",
        }
        for name in works
    ]


def waiting(folder: Path, options: argparse.Namespace) -> str:
    """How long a step of a real run waits for its images, in words."""
    recipe = Recipe(
        steps=10,
        batch_size=BATCH,
        size=(416, 416),
        augment=PLAIN,
        ema=None,
        workers=options.workers,
        optimizer=Optimizer(name="sgd", lr=1e-4),
    )
    detector = zoo.load("yolox_nano", weights=False, device="cpu")
    data = zoo.data.read(folder / "instances.json")
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as kept:
        accelerator = accelerator_of(recipe, options.device)
        training = training_of(
            *(recipe, detector, data, None, Path(kept)), accelerator=accelerator, tell=rows.append
        )
        run(Unsaved(**vars(training)))
        training.log.close()
    [row] = [one for one in rows if "waiting" in one]
    step = 1000 * BATCH / row["images_per_second"]
    return (
        f"A step of YOLOX-Nano, {BATCH} images of 416 x 416 on {accelerator.device}, takes "
        f"{step:.0f} ms on the clock, of which {row['waiting'] * step:.0f} ms wait for images."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device")
    parser.add_argument("--plain", action="store_true", help="without changes of colour")
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    report(
        f"Loading {options.size} x {options.size}, {options.workers} workers"
        f"{', colours as they are' if options.plain else ''}",
        measured(options.data, options),
        distributions=("torch", "torchvision", "pillow"),
        notes=(
            "Seconds of the processor." if not options.workers else "Seconds on the clock.",
            "to torchvision: how many times as many images a second.",
            waiting(options.data, options),
        ),
        to=options.json,
    )


if __name__ == "__main__":
    main()
