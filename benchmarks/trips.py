"""How many files of `zoo/` a reader crosses on two trips: detecting in a local file, and loading
weights that were loaded before.

A file is crossed where a function of it runs between the call and its return; importing does not
count, nor do plugins. Counted twice in one process, so that what is only done once does not count.
The image has no detections in it; with some, `labels/space.py` is crossed as well, and `boxes.py`
where NMS has 2 to 100 of them to compare.

    python benchmarks/trips.py [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

import zoo

ROOT = Path(zoo.__file__).parent


def crossed(trip: Callable[[], object]) -> Counter[str]:
    """Calls per file of `zoo/` while `trip` runs, in all of its threads."""
    calls: Counter[str] = Counter()

    def called(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(ROOT)) and frame.f_code.co_name != "<module>":
            calls[str(Path(file).relative_to(ROOT))] += 1

    threading.setprofile(called)
    sys.setprofile(called)
    try:
        trip()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return calls


def main() -> None:
    """Prints the files of each trip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trips = _trips(Path(folder))
        files_of = {name: (trip(), crossed(trip))[1] for name, trip in trips.items()}
    if options.json:
        print(json.dumps({name: sorted(files) for name, files in files_of.items()}))
        return
    for name, files in files_of.items():
        print(f"{name}: {len(files)} files, {sum(files.values())} calls")
        print("".join(f"  {file}\n" for file in sorted(files)), end="")


def _trips(folder: Path) -> dict[str, Callable[[], object]]:
    image = folder / "street.png"
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    Image.fromarray(pixels).save(image)
    torch.manual_seed(0)
    detector = zoo.load("yolox_nano", weights=False)
    weights = folder / "nano.safetensors"
    save_file(detector.state_dict(), weights)
    return {
        "detect": lambda: detector.detect(str(image)),
        "load": lambda: zoo.load("yolox_nano", weights=weights),
    }


if __name__ == "__main__":
    main()
