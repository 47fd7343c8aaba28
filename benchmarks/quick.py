"""Whether each promise of the docs holds on this machine: its ratio beside its peer (`make
bench-quick`).

The other benchmarks do the work, with fewer runs; `promises.py` says what was promised. The exit
code is 1 where a promise is not kept. A row whose peer is not installed says how to install it, and
is no failure.

    python benchmarks/quick.py [--only load files …] [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from promises import PROMISES, Promise

HERE = Path(__file__).parent
Rows = list[dict[str, str]]
Ratios = Iterator[tuple[str, float]]


def table(script: str, *options: str) -> Rows:
    """The rows of another benchmark's table. Raises: SystemExit with what it said where it printed
    none."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.json"
        command = [sys.executable, str(HERE / f"{script}.py"), *options, "--json", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not out.exists():
            raise SystemExit(f"benchmarks/{script}.py ended with {done.returncode}:\n{done.stderr}")
        rows: Rows = json.loads(out.read_text())["rows"]
        return rows


def column(rows: Rows, key: str, value: str) -> dict[str, float]:
    """One column of numbers by another."""
    return {row[key]: float(row[value].strip("%+")) for row in rows if row[value]}


def imports() -> Ratios:
    def seconds(module: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - started

    both = [(seconds("zoo"), seconds("torch")) for _ in range(3)][1:]
    yield "import", statistics.median(theirs / ours for ours, theirs in both)


def listing() -> Ratios:
    took = column(table("listing", "--runs", "2"), "command", "seconds")
    ours = {name: one for name, one in took.items() if name.startswith("zoo")}
    yield "list", min(one for name, one in took.items() if name not in ours) / max(ours.values())
    many = [name for name in ours if name.endswith(", 10,000 cards")]
    yield "list-many", max(ours[name] / ours[name.removesuffix(", 10,000 cards")] for name in many)


def load() -> Ratios:
    rows = table("load", "--runs", "3", "--no-image", "--only", "hub", "own", "pth")
    warm = [one for one in rows if one["loader"].startswith("zoo.load")]
    yield "load", min(float(one["times as fast"]) for one in warm)


def detect() -> Ratios:
    from detect import image_files, of_tensors, yolox_nano  # deferred: torch

    from zoo.images import read

    with tempfile.TemporaryDirectory() as folder:
        tensors = [read(file).pixels for file in image_files(Path(folder))[:16]]
    taken = of_tensors(yolox_nano(), tensors, 7)
    yield "detect", statistics.median(one["detect"] / one["by hand"] for one in taken)


def train() -> Ratios:
    [row] = table("train", "--device", "cpu", "--rounds", "7")
    yield "train", float(row["ratio"])


def files() -> Ratios:
    rows = table("files", "--runs", "3")
    process, imported = column(rows, "method", "process s"), column(rows, "method", "imported s")
    memory = column(rows, "method", "memory MiB")
    json_file, parquet, whole, *peers = [row["method"] for row in rows]
    yield "parquet", process[json_file] / process[parquet]
    yield "report", process[whole] / 2.5
    if len(peers) == 2:
        yield "files", min(process[peer] for peer in peers) / process[json_file]
        yield "files-imported", min(imported[peer] for peer in peers) / imported[json_file]
        yield "files-memory", memory[json_file] / min(memory[peer] for peer in peers)


def tensors() -> Ratios:
    rows = table(
        "evaluate",
        "--runs",
        "5",
        "--only",
        "zoo-numbers",
        "hotcoco",
        "ultrafast",
        "ultrafast-narrow",
    )
    seconds, memory = column(rows, "method", "seconds"), column(rows, "method", "memory MiB")
    _, ours, *peers = [row["method"] for row in rows]  # the first keeps what analyses take as well
    if len({peer.split(",")[0] for peer in peers}) == 2:
        yield "tensors", min(seconds[peer] for peer in peers) / seconds[ours]
        yield "tensors-memory", memory[ours] / min(memory[peer] for peer in peers)


MEASURES: dict[str, tuple[Callable[[], Ratios], tuple[str, ...]]] = {
    "import": (imports, ("import",)),
    "listing": (listing, ("list", "list-many")),
    "load": (load, ("load",)),
    "detect": (detect, ("detect",)),
    "train": (train, ("train",)),
    "files": (files, ("files", "files-imported", "files-memory", "parquet", "report")),
    "tensors": (tensors, ("tensors", "tensors-memory")),
}


def missing(promise: Promise) -> list[str]:
    """The distributions that a promise needs and that are not installed."""
    found = []
    for name in promise.needs:
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return found


def row(name: str, ratio: float | None) -> dict[str, str]:
    """One promise, what was measured, and whether it holds."""
    promise = PROMISES[name]
    lacks = missing(promise)
    holds = "not measured" if ratio is None else "yes" if promise.kept(ratio) else "NO"
    if ratio is None and lacks:
        holds = f"peer absent: pip install {' '.join(lacks)}"
    shown = "" if ratio is None else f"{ratio:.2f}"
    return {
        "what": promise.what,
        "beside": promise.peer,
        "promised": str(promise),
        "measured": shown,
        "holds": holds,
    }


def results(only: Sequence[str]) -> Mapping[str, float | None]:
    """The measured ratio of each promise, None where its peer is absent; each is told as soon as it
    is known."""
    found: dict[str, float | None] = {}
    for name in only:
        measure, promised = MEASURES[name]
        started = time.perf_counter()
        measured = dict.fromkeys(promised) | dict(measure())
        for one, ratio in measured.items():
            told = row(one, ratio)
            print(
                f"{told['what']}: {told['measured']}, {told['promised']}: {told['holds']}",
                file=sys.stderr,
                flush=True,
            )
        print(f"  ({name}: {time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True)
        found |= measured
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--json")
    asked = parser.parse_args()
    from table import compile_project, report

    compile_project()
    started = time.perf_counter()
    found = results(asked.only)
    rows: list[dict[str, Any]] = [row(name, ratio) for name, ratio in found.items()]
    needed = [
        "detzoo",
        "numpy",
        "torch",
        "torchvision",
        "timm",
        "pyarrow",
        "hotcoco",
        "ultrafast-pycocotools",
    ]
    there = [name for name in needed if not missing(Promise("", "", needs=(name,)))]
    notes = [f"Medians of interleaved runs; {time.perf_counter() - started:.0f} s in all."]
    report(
        "What is promised, and what holds here",
        rows,
        distributions=there,
        notes=notes,
        to=asked.json,
    )
    broken = [
        name
        for name, ratio in found.items()
        if ratio is not None and not PROMISES[name].kept(ratio)
    ]
    for name in broken:
        print(
            f"Not kept: {PROMISES[name].what}, {PROMISES[name]}, beside {PROMISES[name].peer}; "
            f"here {found[name]:.2f}."
        )
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()
