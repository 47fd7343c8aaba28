"""`make demo`: YOLOX-Nano on real images, its weights pulled through a Hub on this machine, as a
user would from the open one.

It detects, measures, and builds a leaderboard of three families, of which only YOLOX-Nano has
trained weights here.

That needs images and weights beside the repository which are not ours to publish. Where they are
missing, YOLOX-Nano is fetched from where it is published and looks at a drawing; where it can't be
fetched, random weights show that the rest works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
IMAGES = SHARED / "coco_val2017_128" / "val2017"
WEIGHTS = SHARED / "yolox_nano" / "yolox_nano_fused.safetensors"
SHOWN = (
    "000000000139",
    "000000000785",
    "000000000872",
    "000000001000",
    "000000001268",
    "000000001353",
)
OUT = Path("demo")
ONNX = SHARED / "yolox_nano" / "yolox_nano.onnx"
STORED = SHARED / "coco_val2017_128" / "yolox_nano_detections.json"
DATA = SHARED / "coco_val2017_128" / "instances.json"

CARDS = """schema: 2
cards:"""
CARD = """
  yolox_nano_{size}:
    architecture: yolox/yolox
    arguments: {{depth: 0.33, width: 0.25, depthwise: true, size: {size}}}
    labels: coco80
    family: YOLOX
    summary: YOLOX-Nano with the weights trained for 416 pixels, on a smaller input.
    input: {{resize: letterbox, size: [{size}, {size}], range: 255, channels: bgr, padding: 114}}
    parameters: 912159
    licenses: {{code: Apache-2.0, weights: Apache-2.0}}
    default: demo
    weights:
      demo: {{files: {{model: [{{kind: hub, repo: detzoo-demo/yolox_nano, revision: {commit}}}]}}}}
"""
BOARD = """schema: 1
title: Small detectors on 128 images of COCO
summary: >-
  A demonstration. Of the three families only YOLOX has trained weights here; the other two run with random ones, find nothing,
  and show what their networks cost. 128 images are few: mind the intervals.
data: {{coco_val2017_128: "coco:{data}"}}
registry: [cards.yaml]
models:
  - {{model: yolox_nano, weights: "{weights}"}}
  - yolox_nano_320
  - yolox_nano_256
  - name: yolox_nano in ONNX Runtime
    model: yolox_nano
    weights: "file:{onnx}"
    predictions: {stored}
    protocol: {{score: 0.01, iou: 0.65, max_boxes: 100, nms: class, resize: card, precision: float32, exif: apply}}
    note: Detections that were stored earlier; nobody wrote down when and on what, which the checks point out.
  - {{model: ssdlite320_mobilenet_v3_large, weights: random, note: Never trained.}}
  - {{model: fasterrcnn_mobilenet_v3_large_320_fpn, weights: random, note: Never trained.}}
"""


def zoo(*words: str, environment: dict[str, str] | None = None) -> None:
    """Runs one command of the zoo and shows it as it was typed."""
    print(f"\n$ zoo {' '.join(words)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *words], cwd=ROOT, env=os.environ | (environment or {})
    )
    if done.returncode:
        raise SystemExit(done.returncode)


def tried(*words: str) -> bool:
    """Runs one command of the zoo and shows it as it was typed; whether it succeeded."""
    try:
        zoo(*words)
    except SystemExit:
        return False
    return True


def with_real_weights() -> None:
    """Pulls YOLOX-Nano from a loopback Hub, detects on real images, measures it, and builds a
    leaderboard."""
    from zoo.testing import LoopbackHub

    with LoopbackHub() as hub, tempfile.TemporaryDirectory() as home:
        commit = hub.add("detzoo-demo/yolox_nano", {"model.safetensors": WEIGHTS})
        here = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": f"{home}/hf", "ZOO_HOME": f"{home}/zoo"}
        print(f"A Hub on this machine serves detzoo-demo/yolox_nano at commit {commit[:10]}.")
        images = str(OUT / "images")
        (ROOT / images).mkdir(parents=True, exist_ok=True)
        for name in SHOWN:
            shutil.copy(IMAGES / f"{name}.jpg", ROOT / images)
        weights = f"hub:detzoo-demo/yolox_nano@{commit}"
        data = f"coco:{os.path.relpath(DATA, ROOT)}"
        save = ["--save", str(OUT / "annotated"), "--json", str(OUT / "detections.json")]
        runs = ["--to", str(OUT / "runs")]
        repeatable = [
            ["detect", images, "--model", "yolox_nano", "--weights", weights, *save],
            ["evaluate", "yolox_nano", "--weights", weights, "--data", data, *runs],
        ]
        for words in repeatable:
            zoo(*words, environment=here)
        write_board(weights, commit)
        words = ["build", str(OUT / "BOARD.yaml"), "--to", str(OUT / "site")]
        words += ["--runs", str(OUT / "runs")]
        zoo("leaderboard", *words, environment=here)
    print("\nThat Hub has ended. To repeat the first two, with the file that it served:")
    for words in repeatable:
        print(f"$ zoo {' '.join(words)}".replace(weights, f"file:{os.path.relpath(WEIGHTS, ROOT)}"))
    print(
        f"\nLook at the annotated images in {OUT}, and open {OUT / 'site' / 'index.html'} in a "
        f"browser."
    )


def write_board(weights: str, commit: str) -> None:
    """Writes the board, and cards for YOLOX-Nano on smaller inputs."""
    folder = ROOT / OUT
    data, onnx, stored = (os.path.relpath(path, folder) for path in (DATA, ONNX, STORED))
    board = BOARD.format(data=data, weights=weights, onnx=onnx, stored=stored)
    (folder / "BOARD.yaml").write_text(board, encoding="utf-8")
    cards = CARDS + "".join(CARD.format(size=size, commit=commit) for size in (320, 256))
    (folder / "cards.yaml").write_text(cards, encoding="utf-8")


def without() -> None:
    """Detects on the drawing of the model's own card, with its published weights or, without a
    network, with random ones."""
    from PIL import Image

    from zoo import catalogue
    from zoo.testing.conformance.drawing import image_of

    image = OUT / "sign.png"
    (ROOT / OUT).mkdir(exist_ok=True)
    [expected, *_] = next(
        weights for weights in catalogue().resolve("yolox_nano").entry.card.weights.values()
    ).expects
    Image.fromarray(image_of(expected.image)).save(ROOT / image)
    words = ["detect", str(image), "--model", "yolox_nano", "--save", str(OUT / "annotated")]
    print(
        "\nYOLOX-Nano is fetched from where it is published, and looks at a stop sign that its "
        "card draws:"
    )
    if not tried("pull", "yolox_nano"):
        print(
            "\nIts weights can't be fetched here. Random ones find nothing, but show that "
            "everything else works:"
        )
        words += ["--weights", "random"]
    zoo(*words)
    print(
        f"\nLook at {OUT / 'annotated'}. To measure a model and build a leaderboard, see "
        f"docs/tutorial/first-steps.md."
    )


def main() -> None:
    zoo("list")
    if WEIGHTS.exists() and IMAGES.is_dir():
        with_real_weights()
    else:
        without()


if __name__ == "__main__":
    main()
