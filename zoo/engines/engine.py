"""Engine: a predictor whose network is an exported graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from zoo.contract import Batch, Thresholds
from zoo.contract.session import Session
from zoo.detections import Detections
from zoo.detectors.build import build, on_meta_device
from zoo.detectors.detector import BasePredictor, Detector
from zoo.detectors.engine_request import EngineRequest
from zoo.detectors.load import load
from zoo.engines.lanes import Lanes, contiguous, joined, split
from zoo.engines.outputs import OutputLayout
from zoo.engines.preprocess import restore
from zoo.errors import ContractError, ImageError
from zoo.inference.runner import step
from zoo.labels.builtin import name_with_labels
from zoo.registry import catalogue
from zoo.registry.exported import ExportFacts
from zoo.registry.folder import FILE_PREFIX

# Images per lane in one call: enough to keep all lanes busy, with little waiting for the last. The
# inputs of a call have at most 2**24 pixels, as 16 of 1024x1024.
IMAGES_PER_LANE = 4
MAX_PIXELS = 2**24


class Engine(BasePredictor):
    """The family's preprocessing and decode around a graph that another library runs.

    facts:   the exported file's description of itself.
    file:    the exported file.
    version: of the library that runs the graph.
    network: the detector without weights, for preprocessing and decode; None builds it from the
             request.
    lanes:   threads that run the images of a batch side by side; None runs a batch in one call.
    """

    engine: str

    def __init__(
        self,
        session: Session,
        *,
        request: EngineRequest,
        facts: ExportFacts,
        file: Path,
        network: Detector | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        resolved = request.resolved
        self.facts = facts
        self.file = file
        self.engine = request.engine
        self.version = session.version
        self.name = name_with_labels(resolved.name, request.old, request.new)
        self.weights = resolved.file
        self.network = network_of(request) if network is None else network
        self.label_space = self.network.label_space
        self.defaults = Thresholds(**cast("dict[str, Any]", facts.thresholds))
        self.preprocess = restore(self.network.preprocess, facts.preprocess, file)
        self._device = request.device
        self._session = session
        self._lanes = lanes
        size = facts.input.size
        self._layout = OutputLayout(facts.leaves, facts.structure, size, self.network)

    @property
    def device(self) -> torch.device:
        """The device on which the graph runs."""
        return self._device

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the input for an image of that size.

        Raises: ImageError if the graph takes only another size.
        """
        size = self.preprocess.input_size(height, width)
        if not self.facts.input.dynamic_size and size != tuple(self.facts.input.size):
            tall, wide = self.facts.input.size
            raise ImageError(
                f"An image of {width} x {height} pixels was given to {self.engine}.",
                f"The exported network only takes inputs of {wide} x {tall} pixels, and this one "
                f"would be {size[1]} x {size[0]}.",
                "Use the model itself, in torch: zoo.load(NAME)",
            )
        return size

    def auto_batch(self, height: int, width: int) -> int | None:
        """Enough images to keep every lane busy; None without lanes, where memory is the limit."""
        if self._lanes is None:
            return None
        return max(1, min(IMAGES_PER_LANE * self._lanes.count, MAX_PIXELS // (height * width)))

    @property
    def calls_at_once(self) -> int:
        """How many threads may usefully call `predict` at the same time. With lanes it is two: one
        call runs the graph while another preprocesses or decodes."""
        return 2 if self._lanes and self._lanes.count > 1 else 1

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Preprocess, graph and decode; for a graph with a fixed batch, the last image is repeated
        to fill it."""
        if not images:
            return []
        missing = -len(images) % (self.facts.input.batch or 1)
        filled = list(images)
        filled += filled[-1:] * missing
        with torch.inference_mode():
            with step("preprocess"):
                batch = self.preprocess(filled, device=self._device)
            outputs = self.forward(batch)
            with step("decode"):
                return list(self.network.decode(outputs, batch, thresholds))[: len(images)]

    def forward(self, batch: Batch) -> Any:
        """The network's outputs for a batch, in the family's type."""
        with step(f"graph in {self.engine}"):
            parts = self._run_graph(batch)
        expected = sum(leaf.name is not None for leaf in self.facts.leaves)
        for tensors in parts:
            if len(tensors) != expected:
                raise ContractError(
                    f"{self.engine} ran the graph of '{self.name}'.",
                    f"It returned {len(tensors)} outputs, and the network has {expected}.",
                    "Report it to the author of the engine.",
                )
        with step("forward without content"):
            tensors = parts[0] if len(parts) == 1 else joined(parts, self._layout.by_image)
            return self._layout.rebuild(tensors, batch)

    def _run_graph(self, batch: Batch) -> list[Sequence[Tensor]]:
        """The graph's outputs for each part of a batch. A part has the graph's fixed batch size,
        else one image with lanes, else all images."""
        inputs = {self.facts.input.name: batch.pixels}
        inputs |= {name: batch.extras[name] for name in self.facts.input.extras}
        at_once = self.facts.input.batch or (1 if self._lanes else len(batch))
        parts = split(inputs, at_once)
        if self._lanes and self._lanes.worth(len(parts)):
            return self._lanes(parts)
        return [self._session(contiguous(part)) for part in parts]

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets another process load the same exported file, as sessions can't be pickled."""
        return _load_again, (str(self.file.absolute()), self.engine, str(self._device))

    def release(self) -> None:
        """Does nothing: an engine holds nothing between two batches."""


def _load_again(file: str, engine: str, device: str) -> BasePredictor:
    return load(f"{FILE_PREFIX}{file}", engine=engine, device=device)


def network_of(request: EngineRequest) -> Detector:
    """The detector of a request, on the meta device."""
    resolved = request.resolved
    with on_meta_device():
        network = build(catalogue(), resolved.choice, request.new)
    return network.eval()
