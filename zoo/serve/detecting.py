"""Answers a request for detections: receives the image within limits, reads it on a thread, puts it
into a batch, and writes the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Literal, TypeVar

from starlette.requests import Request

from zoo.contract.protocol import Protocol
from zoo.detections.convert.json import object_of
from zoo.environment import cores
from zoo.images import Image, read
from zoo.inference.prefetch import Readers, Task
from zoo.serve.batcher import BatchOutcome
from zoo.serve.budget import Budget, Reservation
from zoo.serve.fetch import fetch
from zoo.serve.gate import Gate
from zoo.serve.metrics import Metrics
from zoo.serve.models import Models, Served
from zoo.serve.options import SCORE, Options
from zoo.serve.refusal import Refusal, busy
from zoo.serve.upload import UNREADABLE_IMAGE, Upload, kind_of, parse

UNNAMED = "image"
MAX_FETCHES = 16  # images behind URLs that are fetched at a time
# A connection whose body was refused unread stays open until the client has sent it, for up to the
# time limit of receiving: closing at once would reset it before the client reads the answer.
CLOSE = {"Connection": "close"}
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class DetectParameters:
    """The parameters of one request."""

    model: str | None = None
    score: float = SCORE
    iou: float | None = None
    max_boxes: int | None = None
    exif: Literal["apply", "ignore"] = "apply"
    file: str | None = None

    @property
    def protocol(self) -> Protocol:
        """The protocol with the request's thresholds."""
        return Protocol(score=self.score, iou=self.iou, max_boxes=self.max_boxes)


@dataclass(frozen=True)
class DetectAnswer:
    """The answer for one image. line: its JSON; lost: kinds of what reading the image left out;
    facts: fields for the log."""

    line: bytes
    lost: Sequence[str]
    facts: dict[str, object]


class Detecting:
    """Answers requests for detections, as many at a time as the gate admits."""

    def __init__(self, models: Models, options: Options, metrics: Metrics, gate: Gate) -> None:
        self._models = models
        self._options = options
        self._metrics = metrics
        self._gate = gate
        self._readers = Readers(cores())
        self._fetchers = Readers(MAX_FETCHES)
        self._bodies = Budget(options.limits.memory)
        self._pixels = Budget(options.limits.memory)
        metrics.watch("zoo_body_bytes", "Of bodies in memory.", lambda: self._bodies.held)
        metrics.watch("zoo_pixel_bytes", "Of images in memory.", lambda: self._pixels.held)

    async def __call__(self, request: Request, parameters: DetectParameters) -> DetectAnswer:
        """Raises: Refusal, or the ZooError of the image or the model."""
        served = self._models.find(parameters.model)
        content_type = request.headers.get("content-type", "")
        kind_of(content_type)
        with self._gate.admit(), self._pixels.reserve() as pixels:
            with served.batcher.announce(), self._bodies.reserve() as bodies:
                body = await receive(request, self._options, bodies)
                until = monotonic() + self._options.timeout
                reading = Reading(body, content_type, parameters, self._options, pixels, until)
                image = await self._read(reading, until)
                del body, reading
                pixels.keep(image.pixels.nbytes)
                future = _submit(served, image, parameters.protocol)
            outcome = await self._outcome(served, future, until)
        return answer_of(served, image, outcome)

    def close(self) -> None:
        """Ends the threads that read and fetch images."""
        self._readers.close()
        self._fetchers.close()

    async def _read(self, reading: Reading, until: float) -> Image:
        """Reads the image in the body, or behind the body's URL, which is fetched on other threads,
        so that a slow server delays no image that is already here."""
        image = await self._run(self._readers, reading, until)
        if isinstance(image, Upload):
            fetching = Fetching(image.url or "", self._options, until)
            data = await self._run(self._fetchers, fetching, until)
            image = await self._run(self._readers, replace(reading, fetched=data), until)
        assert isinstance(image, Image)
        return image

    async def _run(self, threads: Readers, work: Callable[[Task[Any]], Any], until: float) -> Any:
        task: Task[Any] = Task(work)
        threads.submit(task)
        try:
            return await within(task.future, until)
        except TimeoutError:
            if task.began is not None:  # its thread can't be stopped, and is replaced
                threads.give_up(task)
            raise _late("reading the image", self._options) from None

    async def _outcome(
        self, served: Served, future: Future[BatchOutcome], until: float
    ) -> BatchOutcome:
        try:
            outcome = await within(future, until)
        except TimeoutError:
            self._metrics.image(served.name, "late")
            raise _late("the model", self._options) from None
        except Exception:
            self._metrics.image(served.name, "failed")
            raise
        self._metrics.image(served.name, "predicted", outcome.wait_seconds)
        return outcome


@dataclass(frozen=True)
class Reading:
    """A thread's work: finds the image in the body and decodes it. fetched: the bytes behind the
    body's URL."""

    body: bytes
    content_type: str
    parameters: DetectParameters
    options: Options
    reservation: Reservation
    until: float
    fetched: bytes | None = None

    def __call__(self, task: Task[Image | Upload]) -> Image | Upload:  # noqa: ARG002 - a task is given itself
        """The image, or an upload whose URL must be fetched first. Raises: Refusal or
        ImageError."""
        upload = parse(self.body, self.content_type)
        if upload.url is not None and not self.options.allow_urls:
            fix = "Send the image itself, or start the server with --allow-urls."
            raise Refusal(422, UNREADABLE_IMAGE, "This server fetches no URLs.", fix)
        if upload.url is not None and self.fetched is None:
            return upload
        return read(
            upload.data if self.fetched is None else self.fetched,
            exif=self.parameters.exif,
            name=self.parameters.file or upload.file or upload.url or UNNAMED,
            limits=self.options.limits,
            reserve=lambda count: self.reservation.wait_for(count, until=self.until),
        )


@dataclass(frozen=True)
class Fetching:
    """A thread's work: fetches the bytes behind a URL."""

    url: str
    options: Options
    until: float

    def __call__(self, task: Task[bytes]) -> bytes:  # noqa: ARG002 - a task is given itself
        """The bytes behind the URL. Raises: ImageError."""
        limits = self.options.limits
        most = min(limits.download, self.options.max_bytes)
        seconds = min(limits.seconds, max(0.1, self.until - monotonic()))
        return fetch(self.url, limits=replace(limits, download=most, seconds=seconds))


async def receive(request: Request, options: Options, reservation: Reservation) -> bytes:
    """Receives the body of a request.

    Raises: Refusal: 413 before more is read than the options allow, 408 if it is not received in
        time, 415 if it is compressed, 503 if other bodies use all of the memory.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        case = f"It is compressed: Content-Encoding is '{encoding:.40}'."
        raise Refusal(415, UNREADABLE_IMAGE, case, "Send it as it is.")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > options.max_bytes:
        raise _too_large(options)
    body = bytearray()
    try:
        async with asyncio.timeout(options.receive):
            async for chunk in request.stream():
                if len(body) + len(chunk) > options.max_bytes:
                    raise _too_large(options)
                reservation.take(len(chunk))
                body += chunk
    except TimeoutError:
        case = f"Its body was not received within {options.receive:g} seconds."
        raise Refusal(
            408, UNREADABLE_IMAGE, case, "Send it faster, or smaller.", headers=CLOSE
        ) from None
    return bytes(body)


async def within(future: Future[Result], until: float) -> Result:
    """Waits for a thread's result. Raises: TimeoutError at that time, which also cancels work that
    has not started."""
    return await asyncio.wait_for(asyncio.wrap_future(future), max(0.0, until - monotonic()))


def answer_of(served: Served, image: Image, outcome: BatchOutcome) -> DetectAnswer:
    """The answer, whose line is what `zoo detect --json FILE.jsonl` writes, byte for byte."""
    record = object_of(outcome.detections, model=served.name, weights_sha256=served.weights_sha256)
    facts: dict[str, object] = {
        "model": served.name,
        "size": f"{record['width']}x{record['height']}",
        "detections": len(outcome.detections),
        "batch": outcome.batch_size,
        "wait_ms": round(1000 * outcome.wait_seconds, 1),
        "predict_ms": round(1000 * outcome.run_seconds, 1),
    }
    lost = sorted({loss.kind for loss in image.lost})
    return DetectAnswer(json.dumps(record).encode() + b"\n", lost, facts)


def _submit(served: Served, image: Image, protocol: Protocol) -> Future[BatchOutcome]:
    try:
        return served.batcher.submit(image, protocol)
    except RuntimeError:  # it is closed
        raise busy("The image was not accepted.", "The server is shutting down.") from None


def _too_large(options: Options) -> Refusal:
    case = f"Its body is larger than {options.max_megabytes:g} MB."
    fix = "Make the image smaller, or start the server with a larger --max-megabytes."
    return Refusal(413, UNREADABLE_IMAGE, case, fix)


def _late(step: str, options: Options) -> Refusal:
    case = f"It took more than {options.timeout:g} seconds, {step} included."
    fix = "Send it again later, make the image smaller, or start the server with another --timeout."
    return Refusal(504, "The image was not answered.", case, fix)
