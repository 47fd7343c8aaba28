"""Messages to workers and their answers: a job and its model, images, detections, errors."""

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
    """A model by its card and the files that it was resolved to; or a detector at hand, with its
    weights.

    labels: to load it for. engine: as `zoo.load` takes it; None for torch.
    """

    resolved: Resolved | None = None
    labels: LabelSpace | None = None
    engine: str | None = None
    detector: Detector | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """One model that is run under one protocol.

    device:   of each worker; None for its accelerator, if it is lent one, and else the processor.
    describe: the facts of a loaded model and its machine, on each worker.
    limits:   of reading an image. threads: of the arithmetic of a worker on processors.
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
    """A worker has the model. facts: what `describe` says there."""

    label_space: LabelSpace
    defaults: Thresholds
    facts: dict[str, str]


@dataclass(frozen=True)
class Failed:
    """The error of a worker. seen: of the images before it."""

    error: Exception
    seen: tuple[Detections, ...] = ()


@dataclass(frozen=True)
class AbsentFiles:
    """Files that a worker does not find, or finds with another content: of the model by role."""

    roles: tuple[str, ...]


@dataclass(frozen=True)
class AbsentImages:
    """A worker does not find the image of that name, or finds it with another content."""

    name: str


@dataclass(frozen=True)
class SentImage:
    """An image as a worker takes it.

    name:    of its file. sha256: of its content, as 64 hex digits; empty where the worker is on
        the same machine.
    content: the encoded image, or a function that gives it; None where the file is to be read.
    """

    name: str
    sha256: str
    content: bytes | Callable[[], bytes] | None = None
