"""`make demo`: the main job on scenes that are rendered here, with detectors whose weights are in
the wheel; it needs no network.

It renders scenes with exact boxes, detects in them and draws what it finds, does the same with a
short clip, measures three small detectors of different families, and builds a leaderboard of them.
Everything is written to `demo/`, which begins empty.
"""

from __future__ import annotations

import importlib.util
import math
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
OUT = Path("demo")
SCENES = 80
ZOO = [sys.executable, "-m", "zoo"]
FRAMES, RATE = 60, 20  # of the clip
SIDE, ACROSS, DOWN = 400, 3, 2  # of its scenes, which hang beside each other on a wall
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


def film(scenes: Path, folder: Path) -> None:
    """Writes frames of a camera that goes round once, past a wall of scenes."""
    folder.mkdir()
    wall = Image.new("RGB", (ACROSS * SIDE, DOWN * SIDE))
    for index, path in enumerate(sorted(scenes.glob("*.png"))):
        with Image.open(path) as scene:
            wall.paste(scene, (index % ACROSS * SIDE, index // ACROSS * SIDE))
    reach = [(side - SIDE) / 2 for side in wall.size]
    for index in range(FRAMES):
        angle = 2 * math.pi * index / FRAMES
        left = round(reach[0] * (1 - math.cos(angle)))
        top = round(reach[1] * (1 - math.sin(angle)))
        frame = wall.crop((left, top, left + SIDE, top + SIDE))
        frame.save(folder / f"{index:03}.png", compress_level=1)


def make_clip() -> str:
    """Makes an annotated clip, if PyAV is installed; returns what there is to say of it."""
    if importlib.util.find_spec("av") is None:
        return "For an annotated clip as well: pip install 'detzoo[video]', and make demo again."
    scenes = f"shapes:test,count={ACROSS * DOWN},size={SIDE}"
    zoo("data", "convert", scenes, f"coco:{OUT / 'wall'}")
    film(ROOT / OUT / "wall" / "images", ROOT / OUT / "frames")
    clip = OUT / "clip.mp4"
    options = ["--rate", str(RATE), "--model", MODELS[0], "--score", "0.5", "--save", str(clip)]
    zoo("video", str(OUT / "frames"), *options)
    return f"Play {clip}."


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
    clip = make_clip()
    for model in MODELS:
        zoo("evaluate", model, "--data", data, "--to", str(OUT / "runs"))
    board = BOARD.format(scenes=SCENES, models=", ".join(MODELS))
    (out / "BOARD.yaml").write_text(board, encoding="utf-8")
    to = ["--to", str(OUT / "site"), "--runs", str(OUT / "runs")]
    zoo("leaderboard", "build", str(OUT / "BOARD.yaml"), *to)
    print(
        f"\nLook at the annotated images in {OUT / 'annotated'}, and open "
        f"{OUT / 'site' / 'index.html'} in a browser. {clip} Next: docs/tutorial/first-steps.md."
    )


if __name__ == "__main__":
    main()
