"""How often the evaluator's 95 % intervals hold what they promise, and how often equal models are
told apart by chance.

A made-up world of 60,000 images, of varying difficulty, and a detector in it. Many data sets are
drawn from the world; each gives a number and its interval. An interval should hold the number
expected on a data set of this size, the mean over all of them, in 95 % of the cases. Plain
percentiles of the same replicates are shown beside. For the p-value two detectors of the same
skill are compared on each data set: 5 % of the p-values should lie below .05.

    python benchmarks/coverage.py [--trials 400] [--resamples 1000] [--log FILE] [--json OUT]

A log keeps every data set's result as it comes: a run that was stopped goes on from it, and with
--trials 0 the table is that of what is there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.evaluate import Evaluator, GroundTruth
from zoo.evaluate.coco.matched_images import MatchedImages
from zoo.evaluate.intervals import centred_interval, difference, resampled

WORLD, CLASSES = 60_000, 20
SIZES = (100, 500, 2_000)
SHOWN = ("AP", "AP50", "APs", "AR100")


def make_world() -> dict[str, Any]:
    """About five boxes an image, of up to three classes, rare ones among them; each image has a
    difficulty."""
    random = np.random.default_rng(0)
    image = np.repeat(np.arange(WORLD), random.poisson(5, WORLD))
    share = 1 / (np.arange(CLASSES) + 2.0)
    label = random.choice(CLASSES, (WORLD, 3), p=share / share.sum())[
        image, random.integers(0, 3, len(image))
    ]
    side = np.exp(random.normal(4, 0.9, (len(image), 2))).clip(6, 400)
    corner = random.uniform(0, 1, (len(image), 2)) * (640 - side)
    return {
        "image": image,
        "label": label,
        "box": np.concatenate([corner, corner + side], 1),
        "hard": random.normal(0, 1, WORLD),
    }


def detect(world: dict[str, Any], seed: int) -> list[dict[str, np.ndarray]]:
    """What a detector finds: boxes less often where it is hard, some twice, some of the wrong
    class, and what is not there."""
    random = np.random.default_rng(seed)
    image, box, hard = world["image"], world["box"], world["hard"][world["image"]]
    side = np.tile(box[:, 2:] - box[:, :2], 2)
    parts = []
    for share, shift in ((1.0, 1.2), (0.3, -0.5)):
        rows = np.flatnonzero(random.uniform(size=len(image)) < share / (1 + np.exp(hard - 1)))
        place = box[rows] + random.normal(0, 1, (len(rows), 4)) * side[rows] * np.exp(
            random.normal(-2.6, 0.6, (len(rows), 1))
        )
        label = np.where(
            random.uniform(size=len(rows)) < 0.9,
            world["label"][rows],
            random.integers(0, CLASSES, len(rows)),
        )
        place = np.concatenate(
            [np.minimum(place[:, :2], place[:, 2:]), np.maximum(place[:, :2], place[:, 2:])], 1
        )
        parts.append(
            (image[rows], place, random.normal(shift, 1.2, len(rows)) - 0.5 * hard[rows], label)
        )
    nowhere = np.repeat(np.arange(WORLD), random.poisson(6, WORLD))
    rows = random.integers(0, len(box), len(nowhere))
    parts.append((nowhere, box[rows], random.normal(-1.8, 1, len(nowhere)), world["label"][rows]))
    where, place, logit, label = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(where, kind="stable")
    edges = np.searchsorted(where[order], np.arange(1, WORLD))
    columns = {
        "boxes": place[order],
        "scores": 1 / (1 + np.exp(-logit[order])),
        "labels": label[order],
    }
    split = {name: np.split(values, edges) for name, values in columns.items()}
    return [{name: split[name][one] for name in split} for one in range(WORLD)]


def evaluated(world: dict[str, Any], seed: int) -> MatchedImages:
    """The whole world, matched once; data sets are parts of it."""
    boxes = {name: world[name] for name in ("image", "label", "box")}
    evaluator = Evaluator(
        GroundTruth.of(
            range(WORLD), boxes, label_space=[f"class {label}" for label in range(CLASSES)]
        )
    )
    evaluator.update(range(WORLD), detect(world, seed))
    return evaluator.matched_images()


def drawn(
    sample: MatchedImages, rows: np.ndarray, *, resamples: int, seed: int
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The numbers of a data set and their replicates."""
    there = np.zeros(WORLD, bool)
    there[rows] = True
    part = sample.only(there)
    return part.numbers(), resampled(part, resamples=resamples, seed=seed)[0]


def trial(
    a: MatchedImages, b: MatchedImages, size: int, number: int, *, resamples: int
) -> dict[str, Any]:
    """One data set of that size: each number with both kinds of interval, and the p-value of two
    equal models."""
    rows = np.random.default_rng((size, number)).choice(WORLD, size, replace=False)
    (ours, draws_a), (theirs, draws_b) = (
        drawn(sample, rows, resamples=resamples, seed=number) for sample in (a, b)
    )
    found = {}
    for name in SHOWN:
        interval, plain = (
            centred_interval(ours[name], draws_a[name]),
            np.nanquantile(draws_a[name], [0.025, 0.975]),
        )
        found[name] = [
            ours[name],
            *([interval.low, interval.high] if interval else [2.0, 2.0]),
            *plain.tolist(),
        ]
    gap = difference((ours["AP"], draws_a["AP"].tolist()), (theirs["AP"], draws_b["AP"].tolist()))
    return {
        "images": size,
        "trial": number,
        "resamples": resamples,
        "found": found,
        "p": gap.p_value if gap else 1.0,
    }


def simulate(
    done: list[dict[str, Any]], *, trials: int, resamples: int
) -> Iterator[dict[str, Any]]:
    """What is not done yet, all sizes in turn."""
    there = {(one["images"], one["trial"]) for one in done}
    left = [
        (size, number) for number in range(trials) for size in SIZES if (size, number) not in there
    ]
    if left:
        world = make_world()
        a, b = evaluated(world, 1), evaluated(world, 2)
        yield from (trial(a, b, size, number, resamples=resamples) for size, number in left)


def row(size: int, some: list[dict[str, Any]]) -> dict[str, object]:
    """Coverage of both kinds of interval, and the share of p-values below .05, for data sets of one
    size."""
    shown: dict[str, object] = {"images": f"{size:,}", "data sets": len(some)}
    for name in SHOWN:
        number, low, high, plain_low, plain_high = np.array([one["found"][name] for one in some]).T
        expected = number.mean()
        held, plain = (
            ((low <= expected) & (expected <= high)).mean(),
            ((plain_low <= expected) & (expected <= plain_high)).mean(),
        )
        shown[name] = f"{100 * held:.1f} % ({100 * plain:.1f})"
    return shown | {"p < .05": f"{100 * np.mean([one['p'] < 0.05 for one in some]):.1f} %"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--json")
    asked = parser.parse_args()
    from table import report

    written = asked.log.read_text().splitlines() if asked.log and asked.log.exists() else []
    done = [one for one in map(json.loads, written) if one["resamples"] == asked.resamples]
    for one in simulate(done, trials=asked.trials, resamples=asked.resamples):
        done.append(one)
        if asked.log:
            with asked.log.open("a") as file:
                file.write(json.dumps(one) + "\n")
    by_size = {size: [one for one in done if one["images"] == size] for size in SIZES}
    rows = [row(size, some) for size, some in by_size.items() if some]
    error = 1.96 * np.sqrt(0.95 * 0.05 / max(1, min(len(some) for some in by_size.values())))
    notes = [
        "Share of the data sets of that size whose centred 95 % interval holds the expected "
        "number, in brackets that of plain",
        f"percentiles; {asked.resamples:,} resamples each. The simulation's own 95 % error is up "
        f"to ±{100 * error:.1f} points.",
        "p < .05: equal models told apart.",
    ]
    report(
        "Coverage of bootstrap intervals", rows, distributions=["numpy"], notes=notes, to=asked.json
    )


if __name__ == "__main__":
    main()
