"""What a cluster costs and gives on one machine: `zoo predict` alone beside `--cluster local` with
two workers, whole commands, the same images, the same bits.

Commands take turns, and the median counts; `start` is a run of two images, which is what a command
takes before and after its work. The one process has as many threads as all workers together.

    python benchmarks/cluster.py [--images 256] [--rounds 3] [--model yolox_nano] [--json OUT]

Weights are random, so that no network is needed; bits are compared with one process of one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

WORKERS = 2
COLUMNS = ("starts", "boxes", "scores", "labels")


def write_images(folder: Path, count: int) -> str:
    """JPEG files of 640x480 with rectangles in them, and their annotations."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(count):
        fields = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        fields.resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg")
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 640, "height": 480})
    box = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [9, 9, 90, 90], "area": 8100}
    categories = [{"id": 1, "name": "person"}]
    content = {"images": images, "annotations": [box], "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return f"coco:{folder / 'instances.json'}"


def write_weights(model: str, path: Path) -> None:
    """Random weights, the same ones each time."""
    import torch
    from safetensors.torch import save_file

    import zoo

    torch.manual_seed(0)
    save_file(zoo.load(model, weights=False).state_dict(), path)


def command(model: str, data: str, to: Path, weights: Path, *more: str) -> list[str]:
    """One run."""
    run = ["predict", model, "--data", data, "--to", str(to), "--weights", f"file:{weights}"]
    return [sys.executable, "-m", "zoo", *run, *more]


def timed(words: list[str], threads: int, home: Path) -> tuple[float, float]:
    """Seconds of the clock, and of the processor for it and everything that it started."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "ZOO_HOME": str(home)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bits(folder: Path) -> list[bytes]:
    """Everything that was detected."""
    from zoo.evaluate import Predictions

    [file] = folder.glob("*.parquet")
    made = Predictions.read(file)
    return [getattr(made, column).tobytes() for column in COLUMNS]


def rate(images: int, seconds: float) -> str:
    """Images a second, where the run was long enough to tell its start from its work."""
    return f"{images / seconds:.1f}" if seconds > 1 else "too few images"


def measure(model: str, images: int, rounds: int, folder: Path) -> list[dict[str, object]]:
    """A row for each way."""
    (folder / "all").mkdir()
    (folder / "two").mkdir()
    data = {"all": write_images(folder / "all", images), "two": write_images(folder / "two", 2)}
    weights = folder / "weights.safetensors"
    write_weights(model, weights)
    ways = {
        "one process, 1 thread": (1, []),
        f"one process, {WORKERS} threads": (WORKERS, []),
        f"--cluster local,workers={WORKERS}": (1, ["--cluster", f"local,workers={WORKERS}"]),
    }
    took: dict[tuple[str, str], list[tuple[float, float]]] = {}
    seen: dict[str, list[bytes]] = {}
    for number in range(rounds):
        for way, (threads, more) in ways.items():
            for size in ("two", "all"):
                to = folder / f"{number}-{len(took)}-{size}-{threads}-{len(more)}"
                words = command(model, data[size], to, weights, *more)
                pair = timed(words, threads, folder / "home")
                took.setdefault((way, size), []).append(pair)
                if size == "all":
                    seen[way] = bits(to)
    first = next(iter(ways))
    rows = []
    for way in ways:
        clock, start = (statistics.median(p[0] for p in took[way, size]) for size in ("all", "two"))
        rows.append(
            {
                "command": way,
                "seconds": round(clock, 2),
                "of them start": round(start, 2),
                "images/s without start": rate(images - 2, clock - start),
                "processor s": round(statistics.median(p[1] for p in took[way, "all"]), 2),
                "same bits as 1 thread": "yes" if seen[way] == seen[first] else "no",
            }
        )
    return rows


def main() -> None:
    """Prints the table; the exit code is 1 if the cluster's bits are others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="yolox_nano")
    parser.add_argument("--json", help="a file for the numbers")
    asked = parser.parse_args()
    from table import compile_project, report

    compile_project()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(asked.model, asked.images, asked.rounds, Path(folder))
    notes = (
        "Processor seconds of a cluster leave out what Ray's own processes take that are not "
        "waited for.",
    )
    title = f"{asked.images} JPEG files to predictions: {asked.model}"
    versions = ("torch", "ray", "pyarrow")
    report(title, rows, distributions=versions, notes=notes, to=asked.json)
    raise SystemExit(0 if rows[-1]["same bits as 1 thread"] == "yes" else 1)


if __name__ == "__main__":
    main()
