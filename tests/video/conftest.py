"""Clips made by PyAV, with a white square that says which frame it is; a predictor that finds the
square."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.labels import LabelSpace

SIDE = 16
STEP = 8
TICK = Fraction(1, 12_800)
SAMPLES = 44_100


def corner(index: int, width: int = 96) -> tuple[int, int]:
    """The left top corner of the square in a frame."""
    places = (width - SIDE) // STEP
    return STEP * (index % places), STEP * (index // places)


def still(index: int, height: int = 64, width: int = 96) -> np.ndarray:
    """Frame number `index`: blue, with a white square."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = 90
    x, y = corner(index, width)
    image[y : y + SIDE, x : x + SIDE] = 255
    return image


def write_sound(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float):
    """A tone."""
    for start in range(0, int(seconds * SAMPLES), 1024):
        wave = np.sin(np.arange(start, start + 1024) * 0.06).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLES, start, Fraction(1, SAMPLES)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """Writes a clip: `make_clip("a.mp4", count=20)`, 25 frames a second unless `times` has their
    seconds."""

    def make(
        name: str,
        *,
        count: int = 20,
        times: Sequence[float] | None = None,
        size: tuple[int, int] = (64, 96),
        rotation: int = 0,
        sound: bool = False,
        codec: str = "libx264",
        draw: Callable[[int, int, int], np.ndarray] = still,
        pix_fmt: str = "yuv420p",
        **options: str,
    ) -> Path:
        path = tmp_path / name
        seconds = [index / 25 for index in range(count)] if times is None else list(times)
        form = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
        with av.open(str(path), "w", options=form) as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = size
            stream.pix_fmt = pix_fmt
            stream.codec_context.time_base = TICK
            stream.codec_context.options = options
            if rotation:
                stream.set_display_rotation(rotation)
            tone = container.add_stream("aac", rate=SAMPLES, layout="mono") if sound else None
            for index, time in enumerate(seconds):
                frame = av.VideoFrame.from_ndarray(draw(index, *size), format="rgb24")
                frame.pts, frame.time_base = round(Fraction(time) / TICK), TICK
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if tone:
                write_sound(container, tone, seconds[-1] + 0.04)
        return path

    return make


class Squares:
    """Finds the white square; no network, and no torch module."""

    label_space = LabelSpace("squares", ("square",))
    defaults = Thresholds(score=0.5, iou=0.5, max_boxes=10)
    name = "squares"
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.batches: list[int] = []

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(self, images: Sequence[Tensor], _: Thresholds) -> list[Detections]:
        self.batches.append(len(images))
        return [self.one(image) for image in images]

    def one(self, image: Tensor) -> Detections:
        ys, xs = (image.float().mean(0) > 150).nonzero(as_tuple=True)
        if not len(xs):
            return Detections.empty(self.label_space)
        box = [float(edge) for edge in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]
        return Detections.of([box], [0.9], [0], label_space=self.label_space)


@pytest.fixture
def squares() -> Squares:
    return Squares()


@pytest.fixture
def shown() -> Callable[..., int]:
    """The number of the frame that a square says: `shown(detections)`."""

    def number(detections: Detections, width: int = 96) -> int:
        [[left, top, _, _]] = detections.boxes.tolist()
        return round(top / STEP) * ((width - SIDE) // STEP) + round(left / STEP)

    return number


@pytest.fixture
def damage() -> Callable[[Path], Path]:
    """Overwrites bytes in the middle of a file: `damage(path, share=0.1)`."""

    def spoil(path: Path, *, share: float = 0.1) -> Path:
        content = bytearray(path.read_bytes())
        middle, length = len(content) // 2, int(len(content) * share)
        content[middle : middle + length] = np.random.default_rng(0).bytes(length)
        spoilt = path.with_stem(f"{path.stem}-damaged")
        spoilt.write_bytes(content)
        return spoilt

    return spoil


@pytest.fixture
def cut() -> Callable[[Path], Path]:
    """The first part of a file: `cut(path, share=0.5)`."""

    def shorten(path: Path, *, share: float = 0.5) -> Path:
        content = path.read_bytes()
        short = path.with_stem(f"{path.stem}-cut")
        short.write_bytes(content[: int(len(content) * share)])
        return short

    return shorten


@pytest.fixture
def noise() -> Callable[[int, int, int], np.ndarray]:
    """Frames that take many bytes: a square on coarse noise."""

    def draw(index: int, height: int = 64, width: int = 96) -> np.ndarray:
        random = np.random.default_rng(index)
        coarse = random.integers(0, 120, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
        image = coarse.repeat(4, 0).repeat(4, 1)[:height, :width].copy()
        x, y = corner(index, width)
        image[y : y + SIDE, x : x + SIDE] = 255
        return image

    return draw
