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
from zoo.engines.lanes import Lanes, contiguous, joined, split
from zoo.engines.outputs import OutputLayout
from zoo.engines.preprocess import restored
from zoo.errors import ContractError, ImageError
from zoo.inference.runner import step
from zoo.labels.builtin import name_with_labels
from zoo.registry import catalogue
from zoo.registry.exported import ExportFacts

# Images that are given to an engine at once keep its lanes busy, with little waiting for the last;
# their inputs have at most 2**24 pixels together, as 16 of 1024x1024.
IMAGES_A_LANE = 4
MOST_PIXELS = 2**24


class Engine(BasePredictor):
    """The family's preprocessing and decode around a graph that another library runs.

    facts:   what the exported file says of itself.
    file:    the exported file.
    version: of the library that runs the graph.
    network: the detector without content, for what depends on no weight; else built from the
             request.
    lanes:   what runs the images of a batch side by side; without it they run at once.
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
        self.preprocess = restored(self.network.preprocess, facts.preprocess, file)
        self._device = request.device
        self._session = session
        self._lanes = lanes
        size = facts.input.size
        self._layout = OutputLayout(facts.leaves, facts.structure, size, self.network)

    @property
    def device(self) -> torch.device:
        """Where the graph runs."""
        return self._device

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the input for an image of that size.

        Raises: ImageError where the graph takes another size alone.
        """
        size = self.preprocess.input_size(height, width)
        if not self.facts.input.dynamic_size and size != tuple(self.facts.input.size):
            tall, wide = self.facts.input.size
            raise ImageError(
                f"An image of {width} x {height} pixels was given to {self.engine}.",
                f"The exported network takes inputs of {wide} x {tall} pixels alone, and this "
                f"would be one of {size[1]} x {size[0]}.",
                "Use the model itself, in torch: zoo.load(NAME)",
            )
        return size

    def auto_batch(self, height: int, width: int) -> int | None:
        """Enough images for every lane to be busy; what fits the device where there are none."""
        if self._lanes is None:
            return None
        return max(1, min(IMAGES_A_LANE * self._lanes.count, MOST_PIXELS // (height * width)))

    @property
    def calls_at_once(self) -> int:
        """How many threads may usefully call `predict`: with lanes, whose sessions are run by
        several threads anyway, one call computes while another prepares images or makes boxes."""
        return 2 if self._lanes and self._lanes.count > 1 else 1

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Preprocess, graph and decode; a graph for a fixed number of images gets as many, the last
        of them repeated."""
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
        """The network's outputs for a batch, as the family's type."""
        with step(f"graph in {self.engine}"):
            parts = self._computed(batch)
        wanted = sum(leaf.name is not None for leaf in self.facts.leaves)
        for tensors in parts:
            if len(tensors) != wanted:
                raise ContractError(
                    f"{self.engine} ran the graph of '{self.name}'.",
                    f"It returned {len(tensors)} outputs, and the network has {wanted}.",
                    "Report it to whoever wrote the engine.",
                )
        with step("forward without content"):
            tensors = parts[0] if len(parts) == 1 else joined(parts, self._layout.by_image)
            return self._layout.rebuild(tensors, batch)

    def _computed(self, batch: Batch) -> list[Sequence[Tensor]]:
        """The graph's outputs for each part of a batch: for as many images as it takes, or for one,
        where there are lanes."""
        inputs = {self.facts.input.name: batch.pixels}
        inputs |= {name: batch.extras[name] for name in self.facts.input.extras}
        at_once = self.facts.input.batch or (1 if self._lanes else len(batch))
        parts = split(inputs, at_once)
        if self._lanes and self._lanes.worth(len(parts)):
            return self._lanes(parts)
        return [self._session(contiguous(part)) for part in parts]

    def release(self) -> None:
        """Nothing is held between two batches."""


def network_of(request: EngineRequest) -> Detector:
    """The detector of a request without content."""
    resolved = request.resolved
    with on_meta_device():
        network = build(catalogue(), resolved.choice, request.new)
    return network.eval()
