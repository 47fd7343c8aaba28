"""From per-image tensors to COCO's twelve numbers: the zoo's evaluator against the fastest there
are, in time and memory.

Made-up data of the size of COCO val2017 (5,000 images, 35,942 boxes, 500,000 detections), or ten
times as large with `--large`. Every run is a process of its own that has imported everything and
indexed its ground truth before the clock starts; methods alternate; the table has medians. Each
peer is fed arrays (N, 7), its cheapest way in. All use the same number of threads. The same run
times 1,000 bootstrap replicates, and states the memory of one detection.

    python benchmarks/evaluate.py [--runs 5] [--threads 2] [--large] [--json OUT]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from coco_data import PER_IMAGE, SIZES, as_array, instances, make_data

PEERS = {
    "hotcoco": "hotcoco, array",
    "hotcoco-stream": "hotcoco, streaming by 16",
    "ultrafast": "ultrafast-pycocotools, array",
    "ultrafast-narrow": "ultrafast-pycocotools, float32 array",
    "faster": "faster-coco-eval, array",
}
OURS = {
    "zoo": "zoo",
    "zoo-numbers": "zoo, analyses=False",
    "zoo-stream": "zoo, streaming by 16",
    "zoo-numpy": "zoo, numpy without kernel",
}
MODULES = {"hotcoco": "hotcoco", "ultrafast": "ultrafast_pycocotools", "faster": "faster_coco_eval"}
DISTRIBUTIONS = {
    "hotcoco": "hotcoco",
    "ultrafast_pycocotools": "ultrafast-pycocotools",
    "faster_coco_eval": "faster-coco-eval",
}


def ours(method: str, data: Any, threads: int) -> Callable[[list[dict[str, Any]]], list[float]]:
    from zoo.evaluate import Evaluator, GroundTruth

    table = {name: data[name] for name in ("image", "label", "box", "area", "crowd")}
    names = [f"class {label}" for label in range(int(data["classes"]))]
    truth = GroundTruth.of(range(int(data["images"])), table, label_space=names, box_format="xywh")
    _ = truth.starts, truth.sha256
    step = 16 if method == "zoo-stream" else len(truth)
    backend: Any = "numpy" if method == "zoo-numpy" else "kernel"

    def run(found: list[dict[str, Any]]) -> list[float]:
        evaluator = Evaluator(
            truth, backend=backend, threads=threads, analyses=method != "zoo-numbers"
        )
        for start in range(0, len(found), step):
            evaluator.update(
                range(start, min(start + step, len(found))), found[start : start + step]
            )
        return list(evaluator.numbers().values())

    return run


def theirs(method: str, data: Any) -> Callable[[list[dict[str, Any]]], list[float]]:
    given = instances(data)
    if method.startswith("hotcoco"):
        from hotcoco import COCO, COCOeval, StreamingEval
    elif method.startswith("ultrafast"):
        from ultrafast_pycocotools.coco import COCO
        from ultrafast_pycocotools.cocoeval import COCOeval
    else:
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as COCOeval
    if method == "hotcoco-stream":
        boxes: list[list[Any]] = [[] for _ in given["images"]]
        for one in given["annotations"]:
            boxes[one["image_id"]].append(one)
    else:
        truth = COCO(given)

    def run(found: list[dict[str, Any]]) -> list[float]:
        with contextlib.redirect_stdout(io.StringIO()):
            if method == "hotcoco-stream":
                stream = StreamingEval(given["categories"])
                for start in range(0, len(found), 16):
                    some = slice(start, start + 16)
                    of_batch = [one for image in boxes[some] for one in image]
                    stream.update(
                        given["images"][some], of_batch, as_array(found[some], start, np.float64)
                    )
                done = stream.finalize()
            else:
                results = truth.loadRes(
                    as_array(found, 0, np.float32 if method == "ultrafast-narrow" else np.float64)
                )
                done = COCOeval(truth, results, "bbox")
                done.evaluate()
            done.accumulate()
            done.summarize()
        return list(map(float, done.stats))[:12]

    return run


def resident(field: str) -> float:
    """VmRSS or VmHWM (its peak) of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise SystemExit("this benchmark reads /proc/self/status and needs Linux")


def run_child(method: str, file: str, threads: int) -> None:
    """One measured evaluation, in this process; prints one JSON line."""
    import torch

    torch.set_num_threads(1)
    data = np.load(file)
    found = [
        {
            "boxes": torch.from_numpy(boxes),
            "scores": torch.from_numpy(scores),
            "labels": torch.from_numpy(labels),
        }
        for boxes, scores, labels in zip(data["boxes"], data["scores"], data["labels"], strict=True)
    ]
    run = ours(method, data, threads) if method in OURS else theirs(method, data)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    before, started, cpu = resident("VmRSS"), time.perf_counter(), time.process_time()
    numbers = run(found)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": cpu,
                "memory": resident("VmHWM") - before,
                "numbers": numbers,
            }
        )
    )


def run_bootstrap(file: str, threads: int) -> None:
    """1,000 replicates, and the memory of a detection; prints one JSON line."""
    from zoo.evaluate import Evaluator, GroundTruth

    data = np.load(file)
    table = {name: data[name] for name in ("image", "label", "box", "area", "crowd")}
    names = [f"class {label}" for label in range(int(data["classes"]))]
    truth = GroundTruth.of(range(int(data["images"])), table, label_space=names, box_format="xywh")
    found = [
        dict(zip(("boxes", "scores", "labels"), one, strict=True))
        for one in zip(data["boxes"], data["scores"], data["labels"], strict=True)
    ]
    sizes = {}
    for analyses in (True, False):
        evaluator = Evaluator(truth, threads=threads, analyses=analyses)
        evaluator.update(range(len(truth)), found)
        sizes[str(analyses)] = evaluator.outcomes.nbytes / len(evaluator.outcomes)
    started = time.perf_counter()
    evaluator.compute(resamples=1000)
    print(json.dumps({"seconds": time.perf_counter() - started, "bytes": sizes}))


class OutOfMemory(Exception):
    """A method needed more memory than it may have."""


def limit_memory() -> None:
    """Lets this process have nine tenths of the machine's memory, so that the system does not begin
    to end others."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_DATA, (whole * 9 // 10, whole * 9 // 10))


def child(method: str, file: Path, threads: int) -> dict[str, Any]:
    limits = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    command = [
        sys.executable,
        __file__,
        "--child",
        method,
        "--file",
        str(file),
        "--threads",
        str(threads),
    ]
    done = subprocess.run(
        command, env=os.environ | limits, capture_output=True, text=True, check=False
    )
    if done.returncode < 0 or "MemoryError" in done.stderr:
        raise OutOfMemory(method)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--json")
    parser.add_argument(
        "--only", nargs="+", choices=[*OURS, *PEERS], help="these methods, without the bootstrap"
    )
    parser.add_argument("--child")
    parser.add_argument("--file", default="")
    asked = parser.parse_args()
    if asked.child:
        limit_memory()
        run_bootstrap(asked.file, asked.threads) if asked.child == "bootstrap" else run_child(
            asked.child, asked.file, asked.threads
        )
        return
    there = {name for name, module in MODULES.items() if importlib.util.find_spec(module)}
    methods = [*OURS, *(name for name in PEERS if name.split("-")[0] in there)]
    if asked.large:
        methods.remove("zoo-numpy")
    if asked.only:
        methods = [name for name in methods if name in ("zoo", *asked.only)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.npz"
        make_data(file, *SIZES["large" if asked.large else "val2017"])
        runs = [survivors(methods, file, asked.threads) for _ in range(asked.runs)]
        killed = [name for name in methods if any(name not in run for run in runs)]
        bootstrap = None if asked.large or asked.only else child("bootstrap", file, asked.threads)
    show(asked, runs, bootstrap, missing=sorted(set(MODULES) - there), killed=killed)


def survivors(methods: list[str], file: Path, threads: int) -> dict[str, Any]:
    """What each method measured, but for those that needed more memory than there is."""
    found = {}
    for name in methods:
        with suppress(OutOfMemory):
            found[name] = child(name, file, threads)
    return found


def rows_of(methods: list[str], runs: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Medians of each method, a row per method."""
    median = {
        name: {
            key: statistics.median(run[name][key] for run in runs)
            for key in ("seconds", "cpu", "memory")
        }
        for name in methods
    }
    return [
        {
            "method": (OURS | PEERS)[name],
            "seconds": f"{median[name]['seconds']:.3f}",
            "times zoo": f"{median[name]['seconds'] / median['zoo']['seconds']:.1f}",
            "cpu seconds": f"{median[name]['cpu']:.3f}",
            "memory MiB": f"{median[name]['memory']:.0f}",
            "same bits as zoo": "yes"
            if runs[0][name]["numbers"] == runs[0]["zoo"]["numbers"]
            else "no",
        }
        for name in methods
    ]


def notes_of(bootstrap: dict[str, Any]) -> list[str]:
    """Time of the bootstrap and memory per detection, in sentences."""
    size = bootstrap["bytes"]
    return [
        f"The whole report with 1,000 bootstrap replicates of this set: "
        f"{bootstrap['seconds']:.1f} s.",
        f"Kept for a detection: {size['True']:.1f} bytes, {size['False']:.1f} without analyses.",
    ]


def show(
    asked: Any,
    runs: list[dict[str, Any]],
    bootstrap: dict[str, Any] | None,
    *,
    missing: list[str],
    killed: list[str],
) -> None:
    """Prints the table."""
    from table import report

    methods = [name for name in runs[0] if name not in killed]

    rows = rows_of(methods, runs)
    images, boxes, classes = SIZES["large" if asked.large else "val2017"]
    of = "One run" if asked.runs == 1 else f"Median of {asked.runs} runs"
    notes = [
        f"{of}; {asked.threads} threads; memory is what a run adds to the peak of the resident set."
    ]
    notes += (
        [
            f"Not installed, and left out: "
            f"{', '.join(DISTRIBUTIONS[MODULES[name]] for name in missing)}."
        ]
        if missing
        else []
    )
    notes += (
        [
            f"Out of memory, given nine tenths of it: "
            f"{', '.join((OURS | PEERS)[name] for name in killed)}."
        ]
        if killed
        else []
    )
    if bootstrap:
        notes += notes_of(bootstrap)
    title = (
        f"To the twelve numbers: {images:,} images, {boxes:,} boxes, {classes} classes, "
        f"{images * PER_IMAGE:,} detections"
    )
    used = [
        "numpy",
        "torch",
        *(DISTRIBUTIONS[MODULES[name]] for name in MODULES if name not in missing),
    ]
    report(title, rows, distributions=used, notes=notes, to=asked.json)


if __name__ == "__main__":
    main()
