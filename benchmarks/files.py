"""From files to COCO's twelve numbers, as whole processes: a results list and annotations in, the
numbers out.

The data is that of `benchmarks/evaluate.py`, of the size of COCO val2017 (5,000 images, 35,942
boxes, 500,000 detections), as `instances.json` and `results.json` (48 MB), and as Parquet for the
zoo. Every run is a process of its own, from the start of Python to its exit; methods alternate; the
table has medians. "imported" is what is left once everything is imported.

    python benchmarks/files.py [--runs 5] [--threads 2] [--json OUT]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from coco_data import SIZES, instances, make_data
from evaluate import DISTRIBUTIONS, MODULES

CLOCK = "import json, sys, time; started = time.perf_counter()"
TELL = (
    "print(json.dumps({'imported': time.perf_counter() - started, 'numbers': list(map(float, "
    "numbers))[:12]}))"
)
ZOO = f"""\
import zoo
zoo.evaluate
{CLOCK}
report = zoo.evaluate('FOUND', data='coco:instances.json', resamples=0)
numbers = report.numbers.values()
{TELL}
"""
PYCOCO = f"""\
IMPORTS
import contextlib, io
{CLOCK}
with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO('instances.json')
    done = COCOeval(truth, truth.loadRes('results.json'), 'bbox')
    done.evaluate()
    done.accumulate()
    done.summarize()
numbers = done.stats
{TELL}
"""
HOTCOCO = "from hotcoco import COCO, COCOeval"
ULTRAFAST = (
    "from ultrafast_pycocotools.coco import COCO\nfrom ultrafast_pycocotools.cocoeval import "
    "COCOeval"
)
REPORT = [
    "-m",
    "zoo",
    "evaluate",
    "results.json",
    "--data",
    "coco:instances.json",
    "--json",
    "report.json",
]
METHODS: dict[str, tuple[str, list[str]]] = {
    "zoo": (
        "zoo.evaluate(results.json, resamples=0)",
        ["-c", ZOO.replace("FOUND", "results.json")],
    ),
    "zoo-parquet": (
        "zoo.evaluate(predictions.parquet, resamples=0)",
        ["-c", ZOO.replace("FOUND", "p.parquet")],
    ),
    "zoo-report": ("zoo evaluate results.json, with 1,000 resamples", REPORT),
    "hotcoco": ("hotcoco", ["-c", PYCOCO.replace("IMPORTS", HOTCOCO)]),
    "ultrafast": ("ultrafast-pycocotools", ["-c", PYCOCO.replace("IMPORTS", ULTRAFAST)]),
}


def write_files(folder: Path, size: str = "val2017") -> None:
    """`instances.json`, `results.json` and `p.parquet`; a results list has rounded numbers, as such
    lists do."""
    from zoo.evaluate import Predictions

    make_data(folder / "data.npz", *SIZES[size])
    data = dict(np.load(folder / "data.npz"))
    (folder / "instances.json").write_text(json.dumps(instances(data)))
    boxes = data["boxes"].astype(np.float64)
    boxes[..., 2:] -= boxes[..., :2]
    columns = (boxes.round(2), data["scores"].astype(np.float64).round(5), data["labels"])
    records: list[dict[str, Any]] = []
    for image, of_image in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        for box, score, label in zip(*of_image, strict=True):
            records.append({"image_id": image, "category_id": label, "bbox": box, "score": score})
    (folder / "results.json").write_text(json.dumps(records))
    count, each = data["scores"].shape
    Predictions(
        image_ids=np.arange(count),
        files=np.array([f"{number}.jpg" for number in range(count)]),
        sizes=np.full((count, 2), 640, np.int32),
        starts=np.arange(0, count * each + 1, each),
        boxes=data["boxes"].reshape(-1, 4),
        scores=data["scores"].reshape(-1),
        labels=data["labels"].reshape(-1).astype(np.int32),
        names=tuple(f"class {label}" for label in range(int(data["classes"]))),
        provenance={"model": "toy"},
    ).write(folder / "p.parquet")


def run(method: str, folder: Path, threads: int) -> dict[str, Any]:
    """One process: its seconds, processor seconds and largest resident set in MiB."""
    limits = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    (folder / "report.json").unlink(missing_ok=True)
    started = time.perf_counter()
    command = [sys.executable, *METHODS[method][1]]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | limits,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.read()  # little comes on standard error: no pipe fills up
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{METHODS[method][0]} ended with {process.returncode}")
    told = (
        json.loads(said.splitlines()[-1])
        if method != "zoo-report"
        else {"imported": None, "numbers": None}
    )
    return {
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / 1024,
        **told,
    }


def measure(runs: int, threads: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Medians of each method, and the peers that are not installed."""
    there = [
        name for name in METHODS if name not in MODULES or importlib.util.find_spec(MODULES[name])
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # another process: the resident set of this one would count as that of every process it
        # starts
        subprocess.run([sys.executable, __file__, "--write", name], check=True)
        done = [
            {method: run(method, folder, threads) for method in there} for _ in range(runs + 1)
        ][1:]
    median: dict[str, dict[str, Any]] = {}
    for method in there:
        values = {
            key: [one[method][key] for one in done]
            for key in ("seconds", "cpu", "memory", "imported")
        }
        median[method] = {
            key: statistics.median(some) if None not in some else None
            for key, some in values.items()
        }
        median[method]["numbers"] = done[0][method]["numbers"]
    return median, [DISTRIBUTIONS[MODULES[name]] for name in METHODS if name not in there]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    if asked.write:
        write_files(asked.write)
        return
    from table import compile_project, report

    compile_project()

    median, missing = measure(asked.runs, asked.threads)
    rows = []
    for method, one in median.items():
        same = one["numbers"] == median["zoo"]["numbers"]
        rows.append(
            {
                "method": METHODS[method][0],
                "process s": f"{one['seconds']:.3f}",
                "times zoo": f"{one['seconds'] / median['zoo']['seconds']:.2f}",
                "imported s": "" if one["imported"] is None else f"{one['imported']:.3f}",
                "cpu s": f"{one['cpu']:.3f}",
                "memory MiB": f"{one['memory']:.0f}",
                "same bits as zoo": {True: "yes", False: "no"}[same] if method in MODULES else "",
            }
        )
    notes = [
        f"Median of {asked.runs} runs; {asked.threads} threads; memory is the largest resident "
        f"set of the process."
    ]
    notes += [f"Not installed, and left out: {', '.join(missing)}."] if missing else []
    images, boxes, classes = SIZES["val2017"]
    title = (
        f"From files to the numbers: {images:,} images, {boxes:,} boxes, {classes} classes, "
        f"500,000 detections"
    )
    used = ["numpy", *(DISTRIBUTIONS[MODULES[name]] for name in median if name in MODULES)]
    report(title, rows, distributions=used, notes=notes, to=asked.json)


if __name__ == "__main__":
    main()
