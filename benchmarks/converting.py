"""Converting and splitting a data set with its images, beside supervision.

Made-up JPEG images of 320 x 240 with COCO annotations; each command is a process of its own, in
turns, and copies the images with the annotations. zoo reads what it wrote once more and compares,
which supervision does not. `--supervision` is the Python of another environment that has it, with
OpenCV for instance. FiftyOne needs a MongoDB server, and is not here.

    python benchmarks/converting.py [--runs 5] [--supervision PYTHON]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import numpy as np
from PIL import Image
from table import report

WIDTH, HEIGHT, CLASSES = 320, 240, 20
READ = {
    "zoo": """
        import zoo.data
        data = zoo.data.read("coco:SOURCE/instances.json")
    """,
    "supervision": """
        from supervision import DetectionDataset
        data = DetectionDataset.from_coco("SOURCE", "SOURCE/instances.json")
    """,
}
WRITE = {
    "COCO to YOLO": {
        "zoo": "zoo.data.convert(data, 'yolo:TO')",
        "supervision": "data.as_yolo('TO/images', 'TO/labels', 'TO/data.yaml')",
    },
    "COCO to VOC": {
        "zoo": "zoo.data.convert(data, 'voc:TO')",
        "supervision": "data.as_pascal_voc('TO/images', 'TO/annotations')",
    },
    "split, and both parts to COCO": {
        "zoo": """
            for name, part in zip(("train", "val"), data.split(train=0.8, val=0.2)):
                zoo.data.convert(part, f"coco:TO/{name}")
        """,
        "supervision": """
            for name, part in zip(("train", "val"), data.split(0.8, random_state=0)):
                part.as_coco(f"TO/{name}", f"TO/{name}.json")
        """,
    },
}


@dataclass(frozen=True)
class Tool:
    """A package, and the Python that has it."""

    name: str
    python: str

    def run(self, work: str, source: Path) -> tuple[float, float]:
        """Seconds, and those of the processor."""
        with tempfile.TemporaryDirectory() as folder:
            program = dedent(READ[self.name]) + dedent(WRITE[work][self.name])
            program = program.replace("SOURCE", str(source)).replace("TO", f"{folder}/to")
            before, start = os.times(), time.perf_counter()
            done = subprocess.run([self.python, "-c", program], capture_output=True)
            seconds, after = time.perf_counter() - start, os.times()
            if done.returncode or not any(Path(folder).rglob("*.jpg")):
                raise SystemExit(f"{self.name}, {work}: {done.stderr.decode()[-2000:]}")
        children = after.children_user + after.children_system
        return seconds, children - before.children_user - before.children_system


def make(folder: Path, images: int, boxes: int) -> None:
    """Writes the images and their annotations."""
    random = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for number in range(images):
        pixels = random.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
        image = Image.fromarray(pixels).resize((WIDTH, HEIGHT))
        image.save(folder / "images" / f"{number:06}.jpg")
    side = random.uniform(4, 100, (boxes, 2)).round(2)
    corner = (random.uniform(size=(boxes, 2)) * ([WIDTH, HEIGHT] - side)).round(2)
    document = {
        "images": [
            {"id": number, "file_name": f"images/{number:06}.jpg", "width": WIDTH, "height": HEIGHT}
            for number in range(images)
        ],
        "annotations": [
            {
                "id": at + 1,
                "image_id": int(random.integers(images)),
                "category_id": int(random.integers(CLASSES)) + 1,
                "bbox": [*corner[at].tolist(), *side[at].tolist()],
                "area": float(side[at].prod()),
                "iscrowd": 0,
            }
            for at in range(boxes)
        ],
        "categories": [{"id": row + 1, "name": f"class {row}"} for row in range(CLASSES)],
    }
    (folder / "instances.json").write_text(json.dumps(document))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--boxes", type=int, default=14_500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--supervision", default=sys.executable, help="the Python that has it")
    parser.add_argument("--json")
    given = parser.parse_args()
    tools = Tool("zoo", sys.executable), Tool("supervision", given.supervision)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        make(source, given.images, given.boxes)
        for work in WRITE:
            took = [[tool.run(work, source) for tool in tools] for _ in range(given.runs)]
            for at, tool in enumerate(tools):
                wall, cpu = (statistics.median(run[at][i] for run in took) for i in (0, 1))
                rows.append(
                    {"work": work, "by": tool.name, "s": f"{wall:.1f}", "cpu s": f"{cpu:.1f}"}
                )
    title = f"{given.images:,} images, {given.boxes:,} boxes, median of {given.runs} runs"
    report(title, rows, distributions=["numpy"], to=given.json)


if __name__ == "__main__":
    main()
