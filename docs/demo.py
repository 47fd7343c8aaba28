"""`make demo`: the main job on scenes that are rendered here, with a detector whose weights are in
the wheel; it needs no network.

It renders scenes with exact boxes, detects in them and draws what it finds, measures the detector,
and builds a leaderboard of it at three input sizes. Everything is written to `demo/`, which begins
empty.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = Path("demo")
SCENES = 80
MODEL = "yolox_pico"

CARDS = """schema: 2
cards:"""
CARD = """
  yolox_pico_{size}:
    architecture: yolox/yolox
    arguments: {{depth: 0.33, width: 0.125, size: {size}}}
    labels: [circle, ring, square, triangle, star, cross, heart, moon]
    family: YOLOX
    summary: yolox_pico, trained for 320 pixels, on inputs of {size}.
    input: {{resize: letterbox, size: [{size}, {size}], range: 255, channels: bgr, padding: 114, antialias: false}}
    parameters: 564727
    licenses: {{code: Apache-2.0, weights: Apache-2.0, data: Apache-2.0}}
    default: shapes
    weights:
      shapes: {{files: {{model: [{{kind: package, package: detzoo_shapes, file: weights/yolox_pico.safetensors}}]}}}}
"""
BOARD = """schema: 1
title: One small detector at three input sizes
summary: >-
  A demonstration on {scenes} rendered scenes of paper shapes. They are few: mind the intervals.
data: {{shapes_80: "coco:scenes/instances.json"}}
registry: [cards.yaml]
models:
  - yolox_pico
  - yolox_pico_256
  - yolox_pico_416
"""


def zoo(*words: str) -> None:
    """Runs one command of the zoo and shows it as it is typed."""
    print(f"\n$ zoo {' '.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "zoo", *words], cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.returncode)


def write_board(folder: Path) -> None:
    """Writes the board, and cards of the detector for other input sizes."""
    cards = CARDS + "".join(CARD.format(size=size) for size in (256, 416))
    (folder / "cards.yaml").write_text(cards, encoding="utf-8")
    (folder / "BOARD.yaml").write_text(BOARD.format(scenes=SCENES), encoding="utf-8")


def main() -> None:
    """Runs the commands, and says where to look."""
    out = ROOT / OUT
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    scenes = OUT / "scenes"
    data = f"coco:{scenes / 'instances.json'}"
    zoo("list")
    zoo("data", "convert", f"shapes:test,count={SCENES}", f"coco:{scenes}")
    save = ["--save", str(OUT / "annotated"), "--json", str(OUT / "detections.json")]
    zoo("detect", str(scenes / "images" / "test" / "00000*.ppm"), "--model", MODEL, *save)
    zoo("evaluate", MODEL, "--data", data, "--to", str(OUT / "runs"))
    write_board(out)
    to = ["--to", str(OUT / "site"), "--runs", str(OUT / "runs")]
    zoo("leaderboard", "build", str(OUT / "BOARD.yaml"), *to)
    print(
        f"\nLook at the annotated images in {OUT / 'annotated'}, and open "
        f"{OUT / 'site' / 'index.html'} in a browser. Next: docs/tutorial/first-steps.md."
    )


if __name__ == "__main__":
    main()
