"""Messages between a pool and its workers: a job and its model, images, detections, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.contract.protocol import Protocol, Thresholds
from zoo.detections import Detections
from zoo.images import Limits
from zoo.inference.batch_limit import BatchSize
from zoo.labels import LabelSpace

if TYPE_CHECKING:
    from zoo.detectors import Detector
    from zoo.detectors.detector import BasePredictor
    from zoo.weights import Resolved

Facts = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class SentModel:
    """A model: its card and resolved files, or a detector in memory with its weights.

    labels: the classes to load it for.
    engine: as of `zoo.load`; None for torch.
    """

    resolved: Resolved | None = None
    labels: LabelSpace | None = None
    engine: str | None = None
    detector: Detector | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """One model to run under one protocol.

    device:   of each worker; None for its GPU, if it has one, else the CPU.
    describe: returns the facts of a loaded model and its machine; called on each worker.
    limits:   of reading an image.
    threads:  that a worker on the CPU computes with.
    """

    name: str
    model: SentModel
    protocol: Protocol
    describe: Callable[[BasePredictor], dict[str, str]]
    batch_size: BatchSize = "auto"
    device: str | None = None
    limits: Limits | None = None
    threads: int = 1


@dataclass(frozen=True)
class Ready:
    """A worker has loaded the model. facts: what `describe` returned there."""

    label_space: LabelSpace
    defaults: Thresholds
    facts: dict[str, str]


@dataclass(frozen=True)
class Failed:
    """An error in a worker. detections: of the images before it."""

    error: Exception
    detections: tuple[Detections, ...] = ()


@dataclass(frozen=True)
class AbsentFiles:
    """A worker does not have the model's files of these roles, or has them with other content."""

    roles: tuple[str, ...]


@dataclass(frozen=True)
class AbsentImages:
    """A worker does not have the image of that name, or has it with other content."""

    name: str


@dataclass(frozen=True)
class SentImage:
    """An image for a worker.

    name:    path of its file.
    sha256:  of its content, as 64 hex digits; empty if the worker is on the same machine.
    content: the encoded image, or a function that returns it; None if the worker reads the file.
    """

    name: str
    sha256: str
    content: bytes | Callable[[], bytes] | None = None
