"""`make demo`: the main job on scenes that are rendered here, with detectors whose weights are in
the wheel; it needs no network.

It renders scenes with exact boxes, detects in them and draws what it finds, measures three small
detectors of different families, and builds a leaderboard of them. Everything is written to `demo/`,
which begins empty.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = Path("demo")
SCENES = 80
ZOO = [sys.executable, "-m", "zoo"]
MODELS = ("yolox_pico", "retinanet_pico", "fasterrcnn_pico")

BOARD = """schema: 1
title: Three small detectors of paper shapes
summary: >-
  A demonstration on {scenes} rendered scenes. They are few: mind the intervals.
data: {{shapes_80: "coco:scenes/instances.json"}}
models: [{models}]
"""


def zoo(*words: str) -> None:
    """Runs one command of the zoo and shows it as it is typed."""
    print(f"\n$ zoo {' '.join(words)}", flush=True)
    done = subprocess.run([*ZOO, *words], cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.returncode)


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
    zoo("detect", str(scenes / "images" / "test_00000*.png"), "--model", MODELS[0], *save)
    for model in MODELS:
        zoo("evaluate", model, "--data", data, "--to", str(OUT / "runs"))
    board = BOARD.format(scenes=SCENES, models=", ".join(MODELS))
    (out / "BOARD.yaml").write_text(board, encoding="utf-8")
    to = ["--to", str(OUT / "site"), "--runs", str(OUT / "runs")]
    zoo("leaderboard", "build", str(OUT / "BOARD.yaml"), *to)
    print(
        f"\nLook at the annotated images in {OUT / 'annotated'}, and open "
        f"{OUT / 'site' / 'index.html'} in a browser. Next: docs/tutorial/first-steps.md."
    )


if __name__ == "__main__":
    main()
