"""How much a training step costs over a loop that is written by hand: the same model, batches and
data, one loop after the other in one process.

Both read the same images without augmentation, and step with SGD; the loop of the zoo also counts,
looks for numbers that are none and logs. Times on a CPU are of this process
alone. Each round trains a few steps by each; the ratio is the
median over rounds.

    python benchmarks/train.py [--model yolox_nano] [--size 256] [--rounds 7] [--steps 4]
        [--device cpu] [--json OUT]
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from table import report
from unsaved import Unsaved

import zoo
from zoo.data import Dataset, read
from zoo.train.logging import Log
from zoo.train.loop import run
from zoo.train.optimizer import optimizer_of
from zoo.train.recipe import Optimizer, Recipe
from zoo.train.samples import micro_batches
from zoo.train.setup import accelerator_of, training_of
from zoo.train.training import Progress, Training

BATCH = 8


def made(folder: Path, side: int) -> Dataset:
    """Images of noise with three boxes each."""
    random = np.random.default_rng(0)
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number in range(2 * BATCH):
        pixels = random.integers(0, 255, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": side, "height": side})
        for _ in range(3):
            x, y, wide, tall = random.integers(8, side // 3, 4).tolist()
            box = {"id": len(annotations) + 1, "bbox": [x, y, wide, tall]}
            annotations.append({**box, "image_id": number, "category_id": 1})
    document = {"images": images, "annotations": annotations}
    document["categories"] = [{"id": 1, "name": "block"}]
    (folder / "instances.json").write_text(json.dumps(document))
    return read(folder / "instances.json")


def by_hand(training: Training) -> None:
    """The loop that one writes: forward, loss, backward, step."""
    detector, device = training.detector.train(), training.accelerator.device
    optimizer = optimizer_of(detector, training.recipe)
    for _, [micro_batch] in micro_batches(training.samples, device=device.type):
        batch, targets = micro_batch.batch.to(device), list(micro_batch.targets)
        losses = detector.loss(detector(batch, targets), batch, targets)
        total = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total.item()


def fresh(training: Training, state: dict[str, Any]) -> Training:
    """The same run at its beginning."""
    training.detector.load_state_dict(state)
    return replace(training, progress=Progress(), log=Log(training.folder, tensorboard=False))


def seconds(work: Callable[[Training], None], training: Training) -> float:
    """The time of one work: of this process on a CPU, which others that run there do not change."""
    on_gpu = training.accelerator.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    started = clock()
    work(training)
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - started


def measured(options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """One row of the table."""
    data = made(folder, options.size)
    recipe = Recipe(
        steps=options.steps,
        batch_size=BATCH,
        size=(options.size, options.size),
        augment=(),
        ema=None,
        workers=0,
        optimizer=Optimizer(name="sgd", lr=1e-4),
    )
    torch.manual_seed(0)
    detector = zoo.load(options.model, weights=False, labels=["block"], device="cpu")
    accelerator = accelerator_of(recipe, options.device)
    training = training_of(
        *(recipe, detector, data, None, folder), accelerator=accelerator, tell=lambda _: None
    )
    training = Unsaved(**vars(training))
    state = copy.deepcopy(detector.state_dict())
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(options.rounds + 1):
        pair = [(run, ours), (by_hand, theirs)]
        for work, kept in pair if number % 2 else pair[::-1]:
            spent = seconds(work, fresh(training, state))
            if number:  # the first round warms up
                kept.append(spent / options.steps)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "model": options.model,
        "device": str(accelerator.device),
        "zoo ms": f"{1000 * statistics.median(ours):.1f}",
        "by hand ms": f"{1000 * statistics.median(theirs):.1f}",
        "ratio": f"{statistics.median(ratios):.3f}",
        "fastest ratio": f"{min(ours) / min(theirs):.3f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="yolox_nano")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--device")
    parser.add_argument("--json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        row = measured(options, Path(folder))
    report(
        f"A training step, {BATCH} images of {options.size} x {options.size}",
        [row],
        distributions=("torch", "accelerate"),
        notes=("ratio: the median over rounds; fastest ratio: of the fastest rounds.",),
        to=options.json,
    )


if __name__ == "__main__":
    main()
