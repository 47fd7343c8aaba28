"""Prepares a detector for an exporter: its network with example inputs, and the facts of the
file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.contract import Batch
from zoo.detectors import Detector
from zoo.engines.formats import PIXELS, Trace
from zoo.engines.outputs import FlatNetwork, leaves_of
from zoo.engines.preprocess import describe
from zoo.registry import Choice
from zoo.registry.card import as_written
from zoo.registry.exported import ExportFacts, GraphInput, Leaf

_SHAPES = ((480, 640), (640, 480), (333, 777))  # images that show whether the input size varies


@dataclass(frozen=True)
class Example:
    """An example batch of a detector in eval mode, and its outputs.

    leaves: of the outputs.
    """

    detector: Detector
    batch: Batch
    outputs: Any
    leaves: list[Leaf]

    @classmethod
    def of(cls, detector: Detector, image: Tensor, count: int) -> Example:
        """An example with `count` copies of an image, uint8 `(3, h, w)`."""
        with torch.inference_mode():
            batch = detector.preprocess([image] * count)
            outputs = detector(batch)
            more = detector(detector.preprocess([image] * (count + 1)))
        return cls(detector, batch, outputs, leaves_of(outputs, more))

    def trace(self, *, dynamic_batch: bool) -> Trace:
        """The network with this batch as inputs, for this or any number of images."""
        extras = sorted(self.batch.extras)
        network = FlatNetwork(self.detector, self.leaves, extras)
        network.training = False  # the detector's own modes are not touched
        return Trace(
            network,
            tuple(
                tensor.clone().contiguous()
                for tensor in (self.batch.pixels, *(self.batch.extras[name] for name in extras))
            ),
            (PIXELS, *extras),
            [leaf.name for leaf in self.leaves if leaf.name is not None],
            [leaf.name for leaf in self.leaves if leaf.name is not None and leaf.by_image],
            dynamic_batch=dynamic_batch,
            dynamic_size=varies(self.detector),
        )

    def facts(
        self, choice: Choice, *, format: str, exporter: str, dynamic_batch: bool
    ) -> ExportFacts:
        """The facts that the exported file carries."""
        detector, card = self.detector, choice.entry.card
        height, width = self.batch.pixels.shape[-2:]
        licenses = card.licenses_of(choice.weights)
        defaults = detector.defaults
        file = detector.weights
        return ExportFacts(
            format=format,
            name=choice.name,
            model=choice.entry.name,
            card=as_written(card),
            labels=list(detector.label_space.names),
            thresholds={
                "score": defaults.score,
                "iou": defaults.iou,
                "max_boxes": defaults.max_boxes,
            },
            licenses={
                "code": licenses.code,
                "weights": licenses.weights,
                "data": licenses.data,
            },
            weights={
                "sha256": file.sha256 if file else None,
                "source": file.source if file else None,
            },
            preprocess=describe(detector.preprocess),
            input=GraphInput(
                name=PIXELS,
                size=(height, width),
                batch=None if dynamic_batch else len(self.batch),
                dynamic_size=varies(detector),
                extras=sorted(self.batch.extras),
            ),
            leaves=self.leaves,
            structure=pytree.treespec_dumps(pytree.tree_structure(self.outputs)),
            exporter=exporter,
            versions={name: version_of(name) or "" for name in ("detzoo", "torch")},
        )


def version_of(distribution: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def varies(detector: Detector) -> bool:
    """Whether the size of the network's input depends on the size of the image."""
    return len({detector.input_size(*shape) for shape in _SHAPES}) > 1
