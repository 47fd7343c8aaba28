"""Whether each family learns: the AP50 of a small network of it, from random weights, on images
that it has not seen, beside the band that is expected.

Every family has the same small backbone, the same images (bright and dark rectangles on noise), and
the same recipe. Numbers are counts: they do not depend on the machine's load, and little on the
machine. The exit code is 1 where a family falls out of its band.

    python benchmarks/convergence.py [--families retinanet fcos …] [--steps 120] [--seeds 0]
        [--json OUT]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image
from table import report

import zoo
from zoo.data import Dataset, GroundTruth
from zoo.data.image_records import FolderRecords
from zoo.labels import LabelSpace

NAMES = ("dark", "bright")
SIDE, BATCH = 96, 8
NECKS = {"yolox": "pafpn"}  # the others have a feature pyramid
HEADS = {"yolox": {"channels": 64}, "fasterrcnn": {"hidden": 128, "sampled": 64}}
BANDS = {  # AP50 in percent, lowest and highest; the lowest is some 14 below what was measured
    "retinanet": (30.0, 100.0),
    "fcos": (85.0, 100.0),
    "ssd": (75.0, 100.0),
    "yolox": (85.0, 100.0),
    "fasterrcnn": (85.0, 100.0),
}


def rectangles(folder: Path, images: int, seed: int) -> Dataset:
    """Images with one to three rectangles each, which do not touch."""
    random = np.random.default_rng(seed)
    folder.mkdir()
    boxes, labels, owners = [], [], []
    for number in range(images):
        pixels = random.integers(90, 140, (SIDE, SIDE, 3), dtype=np.uint8)
        for column in random.permutation(3)[: random.integers(1, 4)].tolist():
            wide, tall = random.integers(14, 31, 2).tolist()
            x, y = 32 * column + random.integers(0, 32 - wide), random.integers(0, SIDE - tall)
            label = int(random.integers(2))
            pixels[y : y + tall, x : x + wide] = 240 if label else 15
            boxes.append([x, y, x + wide, y + tall])
            labels.append(label)
            owners.append(number)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    table: dict[str, ArrayLike] = {"image": owners, "label": labels, "box": boxes}
    space = LabelSpace.custom(NAMES)
    truth = GroundTruth.of(list(range(images)), table, label_space=space, box_format="xyxy")
    files = [f"{number}.png" for number in range(images)]
    sizes = np.full((images, 2), SIDE)
    return Dataset(folder.name, FolderRecords(truth.image_ids, files, sizes, folder, folder), truth)


def learned(family: str, steps: int, seed: int, folder: Path) -> float:
    """AP50 in percent on images that were not trained on."""
    torch.manual_seed(seed)
    neck = NECKS.get(family, "fpn")
    detector = zoo.compose(
        backbone="timm/test_resnet",
        neck=neck,
        head=family,
        labels=list(NAMES),
        neck_arguments={} if neck == "pafpn" else {"channels": 64},
        head_arguments=HEADS.get(family, {}),
        input={"resize": "letterbox", "size": [SIDE, SIDE]},
    )
    recipe = {
        "steps": steps,
        "batch_size": BATCH,
        "seed": seed,
        "optimizer": {"name": "adamw", "lr": 2e-3},
        "schedule": {"warmup_steps": 30},
        "augment": [{"kind": "flip"}],
        "validate_every": steps,
        "ema": None,
        "clip": 10.0,
        "overfit_check": False,
        "workers": 0,
    }
    result = zoo.train(
        detector,
        data=rectangles(folder / f"train{seed}", 64, seed=100 + seed),
        validation=rectangles(folder / f"val{seed}", 32, seed=200 + seed),
        recipe=recipe,
        to=folder / f"{family}{seed}",
        device="cpu",
        progress=False,
    )
    return 100 * float(result.numbers["AP50"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", nargs="+", choices=list(BANDS), default=list(BANDS))
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for family in options.families:
        low, high = BANDS[family]
        found = []
        for seed in options.seeds:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                found.append(learned(family, options.steps, seed, Path(folder)))
            print(f"{family}, seed {seed}: AP50 {found[-1]:.1f}", flush=True)
        rows.append(
            {
                "family": family,
                **{
                    f"seed {seed}": f"{value:.1f}"
                    for seed, value in zip(options.seeds, found, strict=True)
                },
                "band": f"{low:.0f} to {high:.0f}",
                "within": "yes" if all(low <= value <= high for value in found) else "no",
            }
        )
    report(
        f"AP50 after {options.steps} steps of {BATCH} images, {SIDE} x {SIDE}",
        rows,
        distributions=("torch", "torchvision", "timm"),
        notes=("64 images of rectangles are trained on, and 32 others measured.",),
        to=options.json,
    )
    raise SystemExit(any(row["within"] == "no" for row in rows))


if __name__ == "__main__":
    main()
