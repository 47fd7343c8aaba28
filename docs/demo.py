"""`make demo`: YOLOX-Nano on real photos, its weights pulled through a Hub on this machine, as a user would from the open one.

Needs `../shared/data` beside the repository (photos and weights that are not ours to publish); where it is missing, the demo
says so and shows what works without it.
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
PICTURES = SHARED / "coco_val2017_128" / "val2017"
WEIGHTS = SHARED / "yolox_nano" / "yolox_nano_fused.safetensors"
SHOWN = ("000000000139", "000000000785", "000000000872", "000000001000", "000000001268", "000000001353")
OUT = Path("demo")


def zoo(*words: str, environment: dict[str, str] | None = None) -> None:
    """Runs one command of the zoo and shows it as it was typed."""
    print(f"\n$ zoo {' '.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "zoo", *words], cwd=ROOT, env=os.environ | (environment or {}))
    if done.returncode:
        raise SystemExit(done.returncode)


def with_real_weights() -> None:
    """Pulls YOLOX-Nano from a loopback Hub and detects on real photos."""
    from zoo.testing import LoopbackHub

    with LoopbackHub() as hub, tempfile.TemporaryDirectory() as home:
        commit = hub.add("detzoo-demo/yolox_nano", {"model.safetensors": WEIGHTS})
        here = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": f"{home}/hf", "ZOO_HOME": f"{home}/zoo"}
        print(f"A Hub on this machine serves detzoo-demo/yolox_nano at commit {commit[:10]}.")
        photos = OUT / "photos"
        (ROOT / photos).mkdir(parents=True, exist_ok=True)
        for name in SHOWN:
            shutil.copy(PICTURES / f"{name}.jpg", ROOT / photos)
        weights = f"hub:detzoo-demo/yolox_nano@{commit}"
        save = ["--save", str(OUT / "annotated"), "--json", str(OUT / "detections.json")]
        zoo("detect", str(photos), "--model", "yolox_nano", "--weights", weights, *save, environment=here)


def without() -> None:
    """Says what is missing, and runs the same pipeline with random weights on a picture made here."""
    from PIL import Image

    print(f"\nThe real photos and weights are missing: there is no {SHARED}.")
    print("With an internet connection, `zoo detect street.jpg` pulls YOLOX-Nano by itself.")
    print("Here the same network runs with random weights, which see nothing:")
    picture = OUT / "gradient.png"
    (ROOT / OUT).mkdir(exist_ok=True)
    Image.linear_gradient("L").convert("RGB").resize((640, 480)).save(ROOT / picture)
    zoo("detect", str(picture), "--model", "yolox_nano", "--weights", "random", "--save", str(OUT / "annotated"))


def main() -> None:
    zoo("list")
    if WEIGHTS.exists() and PICTURES.is_dir():
        with_real_weights()
    else:
        without()


if __name__ == "__main__":
    main()
