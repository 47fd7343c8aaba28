"""What grows with images and with models, in processor time and memory: runs of many images written
and read, the twelve numbers of many detections, and boards of many entries.

Everything is made up, so that no model has to be run: images have a hundred detections each, and
entries the reports of noisy detectors. Each step is a process of its own, and its own seconds of
processor are stated, which other programs on the machine do not add to.

    python benchmarks/scale.py                        # all three, of moderate sizes
    python benchmarks/scale.py run 100000 1000000
    python benchmarks/scale.py board 100 1000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

DETECTIONS = 100  # an image
CLASSES = 80
PART = 2000  # images in a part of a run
Step = Callable[[int, Path], dict[str, object]]


@contextmanager
def counted(what: str, into: dict[str, object]) -> Iterator[None]:
    """Seconds of processor that a block takes."""
    start = time.process_time()
    yield
    into[f"{what}, s"] = round(time.process_time() - start, 2)


def columns(images: int, rng: np.random.Generator) -> dict[str, Any]:
    """Boxes, scores and labels of so many images."""
    count = images * DETECTIONS
    boxes = rng.uniform(0, 480, (count, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    scores = np.sort(rng.uniform(0, 1, (images, DETECTIONS)).astype(np.float32))[:, ::-1]
    return {
        "starts": np.arange(images + 1, dtype=np.int64) * DETECTIONS,
        "boxes": boxes,
        "scores": np.ascontiguousarray(scores.reshape(-1)),
        "labels": rng.integers(0, CLASSES, count).astype(np.int32),
    }


def run(images: int, folder: Path) -> dict[str, object]:
    """One run, written in parts by the code that a run is written by, taken up again, and made one
    file."""
    from zoo.evaluate.predictions.prediction_store import PredictionStore
    from zoo.evaluate.predictions.predictions import Predictions

    rng, made = np.random.default_rng(0), dict[str, object]()
    facts = {"model": "made up", "started": "2026-01-01T00:00:00+00:00"}
    facts |= {"finished": "2026-01-01T00:00:00+00:00", "seconds": "1"}
    file = folder / "run.parquet"
    store = PredictionStore(file, facts, tuple(f"class {number}" for number in range(CLASSES)))
    store.parts.mkdir()
    some = columns(PART, rng)
    with counted("parts written", made):
        for place, start in enumerate(range(0, images, PART)):
            ids = np.arange(start, start + PART)
            Predictions(
                image_ids=ids,
                files=np.array([f"{image:012d}.jpg" for image in ids]),
                sizes=np.full((PART, 2), 480, np.int32),
                names=store.names,
                provenance=facts,
                **some,
            ).write(store.parts / f"{place:06d}.parquet")
    with counted("resumed", made):
        store.resume()
    made["parts, MB"] = _megabytes(*store.parts.glob("*.parquet"))
    with counted("made one file, and read", made):
        store.finish(range(images))
    made["file, MB"] = _megabytes(file)
    made["bytes a detection"] = round(file.stat().st_size / images / DETECTIONS, 1)
    return made


def evaluate(images: int, folder: Path) -> dict[str, object]:
    """The twelve numbers of a hundred detections an image, without and with intervals."""
    from zoo.evaluate import Evaluator, GroundTruth

    del folder
    rng, made = np.random.default_rng(0), dict[str, object]()
    count = 7 * images
    corner, side = rng.uniform(0, 400, (count, 2)), rng.uniform(20, 80, (count, 2))
    boxes = {
        "image": np.repeat(np.arange(images), 7),
        "label": rng.integers(0, CLASSES, count),
        "box": np.hstack([corner, corner + side]),
    }
    names = [f"class {number}" for number in range(CLASSES)]
    with counted("truth", made):
        truth = GroundTruth.of(range(images), boxes, label_space=names)
    seen = columns(images, rng)
    starts = seen.pop("starts")
    each = [
        {name: values[start : start + DETECTIONS] for name, values in seen.items()}
        for start in starts[:-1].tolist()
    ]
    for resamples in (0, 1000):
        with counted(f"numbers, {resamples} resamples", made):
            evaluator = Evaluator(truth)
            evaluator.update(range(images), each)
            evaluator.compute(resamples=resamples)
    made["detections"] = images * DETECTIONS
    return made


def board(entries: int, folder: Path) -> dict[str, object]:
    """A board of entries that others have handed in."""
    from zoo.leaderboard import build

    made: dict[str, object] = {}
    size = _write_entries(entries, folder / "entries")
    (folder / "board.yaml").write_text(
        "schema: 1\ntitle: Many\ndata: {toys: coco:toys.json}\nentries: ['entries/*.json']\n"
    )
    with counted("build", made):
        done = build(folder / "board.yaml", to=folder / "site")
    made["rows"] = sum(len(ranking.lines) for ranking in done.tables)
    made["findings"] = len(done.findings)
    made["entry, kB"] = round(size / 1e3, 1)
    site = folder / "site"
    for name in ("index.html", "leaderboard.json", "leaderboard.md"):
        made[f"{name}, MB"] = _megabytes(site / name)
    return made


def _write_entries(entries: int, folder: Path) -> int:
    """Entries of as many noisy detectors, and their data set; the bytes of one."""
    from zoo import data
    from zoo.evaluate import Evaluator, GroundTruth
    from zoo.leaderboard import Entry, Model
    from zoo.leaderboard.entry import PROVENANCE, ModelWeights, Published
    from zoo.registry.card import Licenses

    rng = np.random.default_rng(0)
    corner, side = rng.uniform(0, 300, (90, 2)), rng.uniform(20, 150, (90, 2))
    boxes = {"image": np.repeat(np.arange(30), 3), "label": np.arange(90) % 2}
    boxes["box"] = np.hstack([corner, corner + side])
    truth = GroundTruth.of(range(30), boxes, label_space=["cat", "dog"], name="toys")
    _write_truth(truth, folder.parent / "toys.json")
    truth = data.read(f"coco:{folder.parent / 'toys.json'},name=toys").truth
    folder.mkdir()
    protocol: dict[str, Any] = {"score": 0.01, "iou": 0.65, "max_boxes": 100, "exif": "apply"}
    protocol |= {"nms": "class", "precision": "float32", "resize": "card"}
    for number in range(entries):
        noise = rng.normal(0, 5 + 20 * rng.uniform(), (30, 3, 4)) * [1, 1, 0, 0]
        images = [
            {"scores": rng.uniform(0.2, 1, 3), "labels": truth.labels[3 * row : 3 * row + 3]}
            | {"boxes": truth.boxes[3 * row : 3 * row + 3] + noise[row][:, [0, 1, 0, 1]]}
            for row in range(30)
        ]
        evaluator = Evaluator(truth)
        evaluator.update(range(30), images)
        facts = dict.fromkeys(PROVENANCE, "known") | {"finished": "2026-01-31T12:00:00+00:00"}
        source = f"file:{number}.safetensors"
        parameters = int(10 ** rng.uniform(6, 8.3))
        facts |= {"data_sha256": truth.sha256, "protocol_settings": json.dumps(protocol)}
        facts |= {"weights_source": source, "data": "toys"}
        Entry(
            model=Model(
                name=f"model_{number:05}",
                family=f"Toys {number % 8}",
                licenses=Licenses(code="MIT", weights="MIT"),
                parameters=parameters,
                weights=ModelWeights(source=source, sha256=f"{number:064x}", bytes=4 * parameters),
                published=Published(parameters=None, claims=[]),
            ),
            data="toys",
            protocol=protocol,
            report=evaluator.compute(resamples=200).with_provenance(facts),
        ).write(folder / f"{number:05}.json")
    return (folder / "00000.json").stat().st_size


def _write_truth(truth: Any, path: Path) -> None:
    images = [
        {"id": image, "file_name": f"{image}.jpg", "width": 480, "height": 480}
        for image in truth.image_ids.tolist()
    ]
    annotations = [
        {"id": row + 1, "image_id": row // 3, "category_id": int(truth.labels[row]) + 1}
        | {"bbox": truth.xywh[row].tolist(), "area": float(truth.areas[row]), "iscrowd": 0}
        for row in range(len(truth.labels))
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))


def _megabytes(*paths: Path) -> float:
    return round(sum(path.stat().st_size for path in paths) / 1e6, 2)


SIZES = {"run": [100_000, 300_000], "evaluate": [5_000, 50_000], "board": [100, 300, 1000]}
STEPS: dict[str, Step] = {"run": run, "evaluate": evaluate, "board": board}


def alone(step: str, count: int) -> dict[str, object]:
    """A step in a process of its own, with its peak of memory."""
    done = subprocess.run(
        [sys.executable, __file__, step, str(count), "--here"], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Prints a table of each count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=STEPS, nargs="?")
    parser.add_argument("counts", type=int, nargs="*")
    parser.add_argument("--here", action="store_true", help="one step in this process, as JSON")
    parser.add_argument("--json", help="a file for the numbers")
    asked = parser.parse_args()
    if asked.here:
        from zoo.timing.clock import resident_peak

        with tempfile.TemporaryDirectory() as folder:
            made = STEPS[asked.step](asked.counts[0], Path(folder))
        print(json.dumps(made | {"peak, MB": round(resident_peak() or 0)}))
        return
    from table import report

    for step in [asked.step] if asked.step else STEPS:
        rows = [{"count": count} | alone(step, count) for count in asked.counts or SIZES[step]]
        notes = ("Seconds are of the processor, of all threads.",)
        title = f"Growing: {step}"
        report(title, rows, distributions=("numpy", "pyarrow"), notes=notes, to=asked.json)


if __name__ == "__main__":
    main()
