"""How many scenes a second one core renders, and what reading them as a data set costs.

Scenes of 320 x 320 pixels of the train split, in one process with one thread; seconds are the
processor's, so that a busy machine counts less, and the median of the rounds.

    python benchmarks/shapes.py [--scenes 200] [--rounds 5] [--json OUT]

`composed`: boxes and what is hidden, as reading a data set needs; `rendered`: composed and drawn,
uint8 RGB in memory, as training takes it; `read`: `dataset.image(i)`, which encodes and decodes on
top of that.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from detzoo_shapes.render import render
from detzoo_shapes.scene import compose
from table import report

import zoo.data

SIDE = 320


def seconds(work: Callable[[int], object], scenes: int, rounds: int) -> float:
    """Processor seconds a scene, the median of the rounds; one more to warm up."""
    found = []
    for _ in range(rounds + 1):
        started = time.process_time()
        for index in range(scenes):
            work(index)
        found.append((time.process_time() - started) / scenes)
    return statistics.median(found[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    size = (SIDE, SIDE)
    data = zoo.data.read(f"shapes:train,count={options.scenes},size={SIDE}")
    ways: dict[str, Callable[[int], object]] = {
        "composed": lambda index: compose("train", index, size=size),
        "rendered": lambda index: render(compose("train", index, size=size)),
        "read": data.image,
    }
    rows = []
    for name, work in ways.items():
        each = seconds(work, options.scenes, options.rounds)
        rows.append(
            {"work": name, "ms a scene": f"{1e3 * each:.2f}", "scenes/s": f"{1 / each:.0f}"}
        )
    report(
        f"{options.scenes} scenes of {SIDE} x {SIDE}",
        rows,
        distributions=("detzoo", "numpy", "torch"),
        notes=(f"{len(data.truth.labels) / len(data):.1f} objects a scene.",),
        to=options.json,
    )


if __name__ == "__main__":
    main()
