"""How long it takes to check, convert and split a data set of the size of COCO train: 118,000
images and 860,000 boxes, without decoding an image.

Annotations are made up, as in `coco_data.py`. Each step is a process of its own; memory is the peak
of what it had in use, and of the largest process that it started. Seconds include starting Python;
those of the processor (CPU) are the ones to compare where others use the machine. Writing YOLO and
VOC makes a file per image.

    python benchmarks/data.py [--images 118000] [--boxes 860000] [--only check voc …] [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

STEPS = {
    "read": "zoo.data.read",
    "check": "zoo data check --images none",
    "split": "zoo data split",
    "split --stratify": "zoo data split --stratify",
    "csv": "zoo data convert TO csv, and read again",
    "coco": "zoo data convert TO coco, and read again",
    "yolo": "zoo data convert TO yolo (annotations; no image to read sizes from again)",
    "voc": "zoo data convert TO voc, and read again",
}
SECONDS, GIGABYTES = 20, 1.0


def make(path: Path, images: int, boxes: int, classes: int = 80) -> None:
    """Writes an instances.json with these numbers of images and boxes."""
    random = np.random.default_rng(0)
    sizes = random.integers(300, 640, (images, 2)).tolist()
    owner = random.integers(0, images, boxes)
    size = np.array(sizes)[owner]
    side = (random.uniform(0.02, 0.5, (boxes, 2)) * size).round(2)
    corner = (random.uniform(size=(boxes, 2)) * (size - side)).round(2)
    labels = random.integers(1, classes + 1, boxes).tolist()
    rows = zip(owner.tolist(), labels, corner.tolist(), side.tolist(), strict=True)
    content = {
        "images": [
            {"id": row, "file_name": f"{row:012}.jpg", "width": width, "height": height}
            for row, (width, height) in enumerate(sizes)
        ],
        "annotations": [
            {
                "id": at,
                "image_id": image,
                "category_id": label,
                "bbox": [*start, *extent],
                "area": extent[0] * extent[1],
                "iscrowd": 0,
            }
            for at, (image, label, start, extent) in enumerate(rows, start=1)
        ],
        "categories": [{"id": row, "name": f"class {row}"} for row in range(1, classes + 1)],
    }
    path.write_text(json.dumps(content))


def run(step: str, source: Path, to: Path) -> None:
    """One step, in this process."""
    import zoo.data
    from zoo.data.splitting import split_rows, with_splits, write_lists

    if step == "read":
        zoo.data.read(source)
    elif step == "check":
        zoo.data.check(source, images="none").to_json()
    elif step.startswith("split"):
        data = zoo.data.read(source)
        shares = {"train": 0.8, "val": 0.1, "test": 0.1}
        rows = split_rows(data, shares, stratify="stratify" in step)
        write_lists(with_splits(data, rows), to)
    else:
        made = zoo.data.convert(source, f"{step}:{to}", images="none")
        assert made.checked or step == "yolo"


def measure(step: str, source: Path) -> dict[str, float]:
    """Seconds, those of the processor, and peak memory of one step in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--step", step, str(source), f"{folder}/to"]
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        cpu, memory = map(float, done.stdout.split())
        return {
            "seconds": round(seconds, 1),
            "cpu": round(cpu, 1),
            "gigabytes": round(memory / 1e9, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=118_000)
    parser.add_argument("--boxes", type=int, default=860_000)
    parser.add_argument("--only", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        make(Path(given.make[0]), int(given.make[1]), int(given.make[2]))
        return
    if given.step:
        run(given.step[0], Path(given.step[1]), Path(given.step[2]))
        own, others = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        seconds = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
        print(seconds, (own.ru_maxrss + others.ru_maxrss) * 1024)
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "instances.json"
        words = [str(given.images), str(given.boxes)]  # its memory would count for its children
        subprocess.run([sys.executable, __file__, "--make", str(source), *words], check=True)
        print(
            f"{given.images:,} images, {given.boxes:,} boxes, {source.stat().st_size / 1e6:.0f} MB"
        )
        for step in given.only:
            found[step] = measure(step, source)
            seconds, cpu, gigabytes = found[step].values()
            kept = seconds <= SECONDS and gigabytes <= GIGABYTES
            numbers = f"{seconds:6.1f} s  {cpu:6.1f} s CPU  {gigabytes:5.2f} GB"
            print(f"{numbers}  {'' if kept else 'OVER '}{STEPS[step]}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
