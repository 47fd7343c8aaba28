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
from zoo.engines.outputs import OutputLayout
from zoo.engines.preprocess import restored
from zoo.errors import ContractError, ImageError
from zoo.inference.batching import step
from zoo.labels.builtin import name_with_labels
from zoo.registry import catalogue
from zoo.registry.exported import ExportFacts


class Engine(BasePredictor):
    """The family's preprocessing and decode around a graph that another library runs.

    facts:   what the exported file says of itself.
    file:    the exported file.
    version: of the library that runs the graph.
    network: the detector without content, for what depends on no weight.
    """

    engine: str

    def __init__(
        self, session: Session, *, request: EngineRequest, facts: ExportFacts, file: Path
    ) -> None:
        resolved = request.resolved
        self.facts = facts
        self.file = file
        self.engine = request.engine
        self.version = session.version
        self.name = name_with_labels(resolved.name, request.old, request.new)
        self.weights = resolved.file
        self.network = network_of(request)
        self.label_space = self.network.label_space
        self.defaults = Thresholds(**cast("dict[str, Any]", facts.thresholds))
        self.preprocess = restored(self.network.preprocess, facts.preprocess, file)
        self._device = request.device
        self._session = session
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

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Preprocess, graph and decode; a graph for a fixed number of images gets as many, the last
        of them repeated."""
        fixed = self.facts.input.batch
        if fixed is None or len(images) == fixed:
            return self._predict(images, thresholds)
        detections: list[Detections] = []
        for start in range(0, len(images), fixed):
            chunk = list(images[start : start + fixed])
            filled = chunk + chunk[-1:] * (fixed - len(chunk))
            detections += self._predict(filled, thresholds)[: len(chunk)]
        return detections

    def _predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        with torch.inference_mode():
            with step("preprocess"):
                batch = self.preprocess(images, device=self._device)
            outputs = self.forward(batch)
            with step("decode"):
                return list(self.network.decode(outputs, batch, thresholds))

    def forward(self, batch: Batch) -> Any:
        """The network's outputs for a batch, as the family's type."""
        with step(f"graph in {self.engine}"):
            inputs = {self.facts.input.name: batch.pixels.contiguous()}
            inputs |= {name: batch.extras[name].contiguous() for name in self.facts.input.extras}
            tensors = self._session(inputs)
        wanted = sum(leaf.name is not None for leaf in self.facts.leaves)
        if len(tensors) != wanted:
            raise ContractError(
                f"{self.engine} ran the graph of '{self.name}'.",
                f"It returned {len(tensors)} outputs, and the network has {wanted}.",
                "Report it to whoever wrote the engine.",
            )
        with step("forward without content"):
            return self._layout.rebuild(tensors, batch)

    def release(self) -> None:
        """Nothing is held between two batches."""


def network_of(request: EngineRequest) -> Detector:
    """The detector of a request without content."""
    resolved = request.resolved
    with on_meta_device():
        network = build(catalogue(), resolved.choice, request.new)
    return network.eval()
