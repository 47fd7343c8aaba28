"""Servers on free ports, of predictors that need no network, and images to send."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import httpx2
import numpy as np
import pytest
import torch
from PIL import Image

from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.labels import LabelSpace
from zoo.serve import Options, Server

if TYPE_CHECKING:
    pass


class Flat:
    """A predictor that sees one cat, as wide as the left half of an image; its batches are noted.

    on_batch: called with the images of each batch, to wait or to raise.
    """

    def __init__(
        self,
        label_space: LabelSpace,
        *,
        name: str = "flat.toy",
        on_batch: Callable[[Sequence[torch.Tensor]], None] | None = None,
    ) -> None:
        self.name = name
        self.label_space = label_space
        self.defaults = Thresholds(score=0.05, iou=0.5, max_boxes=10)
        self.device = torch.device("cpu")
        self.batches: list[int] = []
        self._on_batch = on_batch

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Images share a batch if they are wide, or if they are not."""
        return (32, 64) if width > height else (32, 32)

    def predict(self, images: Sequence[torch.Tensor], thresholds: Thresholds) -> list[Detections]:
        """One cat in each, as sure as the image is bright."""
        self.batches.append(len(images))
        if self._on_batch:
            self._on_batch(images)
        return [self._seen(image, thresholds) for image in images]

    def _seen(self, image: torch.Tensor, thresholds: Thresholds) -> Detections:
        height, width = image.shape[1:]
        score = float(image.float().mean()) / 255
        rows = [[0, 0, width / 2, height]] if score >= thresholds.score else []
        return Detections.of(
            rows, [score] * len(rows), [0] * len(rows), label_space=self.label_space
        )


MakeFlat = Callable[..., Flat]


@pytest.fixture(scope="session")
def flat() -> MakeFlat:
    """(name, on_batch) -> a predictor of cats and dogs."""
    from zoo.labels import space_of

    return lambda **settings: Flat(space_of(["cat", "dog"]), **settings)


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """(width, height, gray) -> a PNG file of one gray."""

    def made(width: int = 40, height: int = 30, *, gray: int = 200) -> bytes:
        file = io.BytesIO()
        Image.fromarray(np.full((height, width, 3), gray, np.uint8)).save(file, "PNG")
        return file.getvalue()

    return made


Serving = Callable[..., Server]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """(predictors, options) -> a running server on a free port, which ends with the test."""
    servers: list[Server] = []

    def made(*predictors: object, **options: object) -> Server:
        server = Server(predictors, port=0, options=Options(**options))  # type: ignore[arg-type]
        servers.append(server.__enter__())
        return server

    yield made
    for server in servers:
        server.__exit__(None, None, None)


TOKEN = "a-token-of-the-tests-1234"


@pytest.fixture(scope="session")
def server(flat: MakeFlat) -> Iterator[Server]:
    """One server for every test that changes nothing of it."""
    options = Options(max_megabytes=1, receive=2, timeout=10)
    with Server([flat(), flat(name="other.toy")], port=0, options=options) as running:
        yield running


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[httpx2.Client]:
    """A client of that server."""
    with httpx2.Client(base_url=server.url, timeout=20) as client:
        yield client
