"""How many frames a second `detect_video` looks at, beside loops that read with OpenCV, frame by
frame, around the same engine; and the memory that it takes over 2,000 frames.

YOLOX-Nano by ONNX Runtime on a clip of 640x360 from ../shared/data, or without that folder on a
rendered one of the same size. The one loop calls `detect` for each frame, the other one a session
of ONNX Runtime with everything around it written by hand (`engines.py`). Rounds alternate; ratios
are medians of the rounds' own ratios. Memory is the largest resident set of a process of its own,
which sees the clip again and again, joined to one file.

    python benchmarks/video.py [--frames 300] [--rounds 5] [--threads 2] [--long 2000]
        [--onnx FILE, exported before] [--json OUT]
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: its idle threads sleep

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from detect import SHARED, measure_both
from engines import SCORE, Bare, graph
from table import report

import zoo
from zoo.detectors.detector import BasePredictor
from zoo.inference.batch_limit import BatchSize

CLIP = SHARED / "fish_voc" / "fish.mp4"
EARLY = 200  # frames, after which memory should not grow


def clip(folder: Path) -> Path:
    """The clip of an aquarium, or a rendered one: three squares that move."""
    if CLIP.is_file():
        return CLIP
    path = folder / "squares.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index in range(668):
            image = np.full((360, 640, 3), 90, np.uint8)
            for row in range(3):
                left = (index * (row + 2)) % 560
                image[20 + 110 * row : 100 + 110 * row, left : left + 80] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def joined(source: Path, to: Path, times: int) -> Path:
    """The clip that many times in one file, packets as they are."""
    with av.open(str(to), "w") as container:
        written, begins = None, 0
        for _ in range(times):
            with av.open(str(source)) as original:
                stream = original.streams.video[0]
                written = written or container.add_stream_from_template(stream)
                ends = begins
                for packet in original.demux(stream):
                    if packet.pts is None or packet.dts is None:  # the last one, which is empty
                        continue
                    packet.pts, packet.dts = packet.pts + begins, packet.dts + begins
                    ends = max(ends, packet.pts + (packet.duration or 0))
                    packet.stream = written
                    container.mux(packet)
                begins = ends
    return to


def opencv(path: Path, frames: int) -> Iterator[np.ndarray]:
    """The first frames of a clip as RGB, by OpenCV."""
    capture = cv2.VideoCapture(str(path))
    try:
        for _ in range(frames):
            there, image = capture.read()
            if not there:
                return
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


def by_zoo(model: BasePredictor, path: Path, frames: int, batch_size: BatchSize = "auto") -> int:
    """Looks at the first frames; how many boxes there were."""
    with model.detect_video(path, batch_size=batch_size) as stream:
        return sum(len(frame.detections) for frame in islice(stream, frames))


def ways(file: str, path: Path, frames: int, threads: int) -> dict[str, Callable[[], int]]:
    model = zoo.load(f"file:{file}", engine="onnxruntime")
    bare = Bare(file, threads, model.defaults.iou)
    return {
        "detect_video": lambda: by_zoo(model, path, frames),
        "detect_video, batch_size=1": lambda: by_zoo(model, path, frames, 1),
        "OpenCV, detect": lambda: sum(
            len(model.detect(image, score=SCORE)) for image in opencv(path, frames)
        ),
        "OpenCV, by hand": lambda: sum(
            len(bare([image])[0].labels) for image in opencv(path, frames)
        ),
        "decoding alone, OpenCV": lambda: sum(0 for _ in opencv(path, frames)),
    }


def rows(works: dict[str, Callable[[], int]], frames: int, rounds: int) -> list[dict[str, str]]:
    boxes = {name: work() for name, work in works.items()}
    taken, computed = measure_both(works, rounds)
    return [
        {
            "clip to detections": name,
            "frames/s": f"{frames / statistics.median(one[name] for one in taken):.1f}",
            "detect_video, times its frames/s": (
                f"{statistics.median(one[name] / one['detect_video'] for one in taken):.2f}"
            ),
            "processor ms a frame": (
                f"{1000 * statistics.median(one[name] for one in computed) / frames:.1f}"
            ),
            "boxes": str(boxes[name]),
        }
        for name in works
    ]


def peak_mib() -> float:
    """The largest resident set of this process up to now."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def print_memory(file: str, path: str, frames: int) -> None:
    """Prints the peaks after the early frames and after all, as JSON."""
    model = zoo.load(f"file:{file}", engine="onnxruntime")
    peaks = {}
    with model.detect_video(path) as stream:
        for number, _ in enumerate(islice(stream, frames), 1):
            if number in (EARLY, frames):
                peaks[number] = peak_mib()
    print(json.dumps(peaks))


def memory_note(file: str, path: Path, frames: int, folder: Path, threads: int) -> str:
    """The peaks of memory in a process of its own, in words."""
    with av.open(str(path)) as container:
        length = container.streams.video[0].frames
    long = joined(path, folder / "long.mp4", frames // length + 1)
    command = [sys.executable, __file__, "--threads", str(threads), "--onnx", file]
    command += ["--measure-memory", str(long), str(frames)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peaks = json.loads(printed)
    return "Largest resident set: " + ", ".join(
        f"{peak:.1f} MiB after {number} frames" for number, peak in peaks.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--long", type=int, default=2000, help="frames that memory is measured over"
    )
    parser.add_argument("--onnx", help="an exported YOLOX-Nano; else it is exported first")
    parser.add_argument("--measure-memory", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--json")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.measure_memory:
        path, frames = asked.measure_memory
        print_memory(asked.onnx, path, int(frames))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file, path = graph(temporary, asked.onnx), clip(folder)
        table = rows(ways(file, path, asked.frames, asked.threads), asked.frames, asked.rounds)
        memory = memory_note(file, path, asked.long, folder, asked.threads)
    report(
        f"A clip of 640x360 to detections: YOLOX-Nano, ONNX Runtime, {asked.threads} threads",
        table,
        distributions=("torch", "onnxruntime", "av", "opencv-python"),
        notes=[memory],
        to=asked.json,
    )


if __name__ == "__main__":
    main()
