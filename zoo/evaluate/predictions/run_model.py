"""Runs a model over the images of a data set in this process; `on_cluster` does it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from zoo.data import Dataset, ImageRecord
from zoo.evaluate.predictions.model_identity import ModelIdentity
from zoo.evaluate.predictions.provenance import hardware

if TYPE_CHECKING:
    from zoo.contract.protocol import Protocol, Thresholds
    from zoo.detections import Detections
    from zoo.labels import LabelSpace


class ModelOutput(NamedTuple):
    """The detections in one image. facts: of the hardware."""

    record: ImageRecord
    detections: Detections
    facts: dict[str, str]


@dataclass(frozen=True)
class ModelRun:
    """A loaded model, and its outputs for one image after another.

    label_space, defaults: the model's. facts: of the first hardware. outputs: in any order.
    """

    label_space: LabelSpace
    defaults: Thresholds
    facts: dict[str, str]
    outputs: Iterator[ModelOutput]


@dataclass(frozen=True)
class RunRequest:
    """A model, the images that it has to process, and how.

    done: the ids of the images that it has processed.
    """

    identity: ModelIdentity
    dataset: Dataset
    protocol: Protocol
    batch_size: int | Literal["auto"]
    device: str | None
    done: frozenset[int | str]

    @property
    def todo(self) -> list[int]:
        """The positions of the images that it has not processed."""
        ids = self.dataset.truth.image_ids.tolist()
        return [position for position, id in enumerate(ids) if id not in self.done]


@contextmanager
def in_process(request: RunRequest) -> Iterator[ModelRun]:
    """The model in this process."""
    from zoo.inference.detect import stream  # deferred: it brings torch

    detector, protocol = request.identity.load(), request.protocol
    records = [request.dataset.images[position] for position in request.todo]
    answers = stream(
        detector,
        [record.source() for record in records],
        protocol=protocol,
        batch_size=request.batch_size,
        exif=protocol.exif,
    )
    facts = hardware(detector.device)
    outputs = (
        ModelOutput(record, detections, facts)
        for record, detections in zip(records, answers, strict=True)
    )
    yield ModelRun(detector.label_space, detector.defaults, facts, outputs)
