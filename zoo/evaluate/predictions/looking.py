"""Looking: a model that is looking at images of a data set, in this process or on a cluster."""

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


class Look(NamedTuple):
    """One image and its detections. facts: of the hardware."""

    record: ImageRecord
    detections: Detections
    facts: dict[str, str]


@dataclass(frozen=True)
class Looking:
    """A loaded model, and what it sees in one image after the other.

    label_space, defaults: the model's. facts: of the first hardware. looks: in any order.
    """

    label_space: LabelSpace
    defaults: Thresholds
    facts: dict[str, str]
    looks: Iterator[Look]


@dataclass(frozen=True)
class Request:
    """A model, the images that are still to be looked at, and how.

    done: the ids of those that are not.
    """

    identity: ModelIdentity
    dataset: Dataset
    protocol: Protocol
    batch_size: int | Literal["auto"]
    device: str | None
    done: frozenset[int | str]

    @property
    def todo(self) -> list[int]:
        """The positions of images that are not done."""
        ids = self.dataset.truth.image_ids.tolist()
        return [position for position, id in enumerate(ids) if id not in self.done]


@contextmanager
def in_process(request: Request) -> Iterator[Looking]:
    """The model in this process."""
    from zoo.inference.detect import stream  # deferred: torch, which a run that is done needs not

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
    looks = (
        Look(record, detections, facts) for record, detections in zip(records, answers, strict=True)
    )
    yield Looking(detector.label_space, detector.defaults, facts, looks)
