"""A small detector that really finds something, images with something to find, and a web server
for them."""

from __future__ import annotations

import functools
import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from tests.patient_server import PatientServer
from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.detectors import Batch, Detector, InputTransform, Target
from zoo.labels import LabelSpace

Box = tuple[int, int, int, int]
COLORS = ("red", "green", "blue")


@dataclass(frozen=True)
class PadToMultiple:
    """Pads images, all of one input size, to a multiple of so many pixels."""

    multiple: int

    def __call__(
        self,
        images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        sizes = {self.input_size(*image.shape[1:]) for image in images}
        if len(sizes) > 1:
            raise ValueError(f"images of several input sizes in one batch: {sizes}")
        places = tuple(
            InputTransform(*image.shape[1:], scale_y=1.0, scale_x=1.0) for image in images
        )
        (height, width), *_ = sizes
        padded = [
            F.pad(image, (0, width - image.shape[2], 0, height - image.shape[1]))
            for image in images
        ]
        return Batch(torch.stack(padded).to(device, dtype) / 255, places)

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        return -(-height // self.multiple) * self.multiple, -(
            -width // self.multiple
        ) * self.multiple


class Replaced:
    """A preprocess whose call is another function, given the images alone."""

    def __init__(self, preprocess: Any, call: Callable[[Sequence[Tensor]], Batch]) -> None:
        self.call = call
        self.input_size = preprocess.input_size

    def __call__(self, images: Sequence[Tensor], **_: object) -> Batch:
        return self.call(images)


class Lamps(Detector):
    """Finds the brightest red, green and blue thing in an image: a box around what a 1x1
    convolution says is that color.

    Batch norm and dropout make train mode visible: they change its answers, and its answers change
    them.
    """

    def __init__(self, *, multiple: int = 32) -> None:
        super().__init__(
            label_space=LabelSpace("lamps", COLORS),
            defaults=Thresholds(score=0.5, iou=0.5, max_boxes=3),
            preprocess=PadToMultiple(multiple),  # type: ignore[arg-type]  # it has one size
        )
        self.tint = nn.Conv2d(3, 3, 1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        with torch.no_grad():
            self.tint.weight.copy_((torch.eye(3) * 2 - 1).view(3, 3, 1, 1))
        self.eval()

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:  # noqa: ARG002
        return self.drop(self.norm(self.tint(batch.pixels))).clamp(0, 1)  # (b, 3, h, w)

    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        pairs = zip(outputs.cpu(), batch.transforms, strict=True)
        return [
            self._decode_one(maps[:, : place.height, : place.width], thresholds)
            for maps, place in pairs
        ]

    def _decode_one(self, maps: Tensor, settings: Thresholds) -> Detections:
        found = []
        for label, heat in enumerate(maps):
            if (lit := heat > 0.25).any():
                ys, xs = lit.nonzero(as_tuple=True)
                box = [float(edge) for edge in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]
                found.append((float(heat[lit].mean()), label, box))
        kept = [one for one in sorted(found, key=lambda one: -one[0]) if one[0] >= settings.score][
            : settings.max_boxes
        ]
        boxes = torch.tensor([box for _, _, box in kept]).view(-1, 4)
        scores = torch.tensor([score for score, _, _ in kept])
        return Detections(
            boxes,
            scores,
            torch.tensor([label for _, label, _ in kept], dtype=torch.int64),
            self.label_space,
        )

    def loss(self, outputs: Tensor, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        truth = torch.zeros_like(outputs)
        for heat, place, target in zip(truth, batch.transforms, targets, strict=True):
            for (x1, y1, x2, y2), label in zip(
                place.to_input(target.boxes).int().tolist(), target.labels.tolist(), strict=True
            ):
                heat[label, y1:y2, x1:x2] = 1
        return {"heat": F.binary_cross_entropy(outputs, truth)}


@pytest.fixture
def lamps() -> Lamps:
    return Lamps()


@pytest.fixture
def replace_step() -> Callable[..., None]:
    """Gives a detector another function for one of its steps: `replace_step(lamps, "decode",
    function)`."""

    def replace(lamps: Lamps, step: str, function: Callable[..., Any]) -> None:
        if step == "preprocess":
            lamps.preprocess = Replaced(lamps.preprocess, function)  # type: ignore[assignment]
        else:
            setattr(lamps, step, function)

    return replace


@pytest.fixture
def make_lamps() -> type[Lamps]:
    return Lamps


@pytest.fixture
def paint() -> Callable[..., np.ndarray[Any, Any]]:
    """A dark image `(height, width, 3)` with lamps in it: `paint(48, 64, red=(x1, y1, x2,
    y2))`."""

    def draw(height: int, width: int, **lights: Box) -> np.ndarray[Any, Any]:
        picture = np.full((height, width, 3), 20, np.uint8)
        for color, (x1, y1, x2, y2) in lights.items():
            picture[y1:y2, x1:x2, COLORS.index(color)] = 255
        return picture

    return draw


@pytest.fixture
def street(paint: Callable[..., np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """48 pixels high, 64 wide; a red and a smaller green lamp, neither in the middle."""
    return paint(48, 64, red=(8, 8, 24, 40), green=(40, 16, 48, 24))


@pytest.fixture
def as_file() -> Callable[..., bytes]:
    """An array to the bytes of an image file."""

    def encode(pixels: np.ndarray[Any, Any], format: str = "PNG", **options: object) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format, **options)
        return file.getvalue()

    return encode


@dataclass
class Web:
    """A running HTTP server: its address, and the paths it was asked for."""

    address: str
    asked: list[str]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """An HTTP server that serves `tmp_path`; `photo.png?0.2` is sent after so many seconds."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            time.sleep(float(self.path.partition("?")[2] or 0))
            super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = PatientServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Web(f"http://127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    thread.join()
    server.server_close()
