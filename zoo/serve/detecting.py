"""The way of one image: received within limits, read on a thread, put into a batch, answered."""

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
from zoo.serve.batcher import Outcome
from zoo.serve.budget import Budget, Share
from zoo.serve.fetch import fetch
from zoo.serve.gate import Gate
from zoo.serve.metrics import Metrics
from zoo.serve.models import Models, Served
from zoo.serve.options import SCORE, Options
from zoo.serve.refusal import Refusal, busy
from zoo.serve.upload import UNREAD, Upload, kind_of, parse

UNNAMED = "image"
FETCHERS = 16  # images behind URLs that are fetched at a time
# Where a body is refused unread, the connection stays open until the client has sent it, as long
# as receiving may take: closing would reset it before the client reads the answer.
CLOSE = {"Connection": "close"}
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The parameters of one request."""

    model: str | None = None
    score: float = SCORE
    iou: float | None = None
    max_boxes: int | None = None
    exif: Literal["apply", "ignore"] = "apply"
    file: str | None = None

    @property
    def protocol(self) -> Protocol:
        """The thresholds."""
        return Protocol(score=self.score, iou=self.iou, max_boxes=self.max_boxes)


@dataclass(frozen=True)
class Answered:
    """The line of JSON for one image. lost: what reading it lost; facts: for the log."""

    line: bytes
    lost: Sequence[str]
    facts: dict[str, object]


class Detecting:
    """Answers requests for detections, as many at a time as the gate lets in."""

    def __init__(self, models: Models, options: Options, metrics: Metrics, gate: Gate) -> None:
        self._models = models
        self._options = options
        self._metrics = metrics
        self._gate = gate
        self._readers = Readers(cores())
        self._fetchers = Readers(FETCHERS)
        self._bodies = Budget(options.limits.memory)
        self._pixels = Budget(options.limits.memory)
        metrics.watch("zoo_body_bytes", "Of bodies that are held.", lambda: self._bodies.held)
        metrics.watch("zoo_pixel_bytes", "Of images that are held.", lambda: self._pixels.held)

    async def __call__(self, request: Request, asked: Asked) -> Answered:
        """Raises: Refusal, or the ZooError of the image or the model."""
        served = self._models.named(asked.model)
        content_type = request.headers.get("content-type", "")
        kind_of(content_type)
        with self._gate.admitted(), self._pixels.share() as pixels:
            with served.batcher.announced(), self._bodies.share() as bodies:
                body = await receive(request, self._options, bodies)
                until = monotonic() + self._options.timeout
                reading = Reading(body, content_type, asked, self._options, pixels, until)
                image = await self._read(reading, until)
                del body, reading
                pixels.keep(image.pixels.nbytes)
                future = _submitted(served, image, asked.protocol)
            outcome = await self._predicted(served, future, until)
        return answer_of(served, image, outcome)

    def close(self) -> None:
        """Ends the threads that read."""
        self._readers.close()
        self._fetchers.close()

    async def _read(self, reading: Reading, until: float) -> Image:
        """The image in the body, or behind the URL in it: other people's servers are waited for on
        threads of their own, so that a slow one holds up no image that is here."""
        image = await self._done(self._readers, reading, until)
        if isinstance(image, Upload):
            fetching = Fetching(image.url or "", self._options, until)
            data = await self._done(self._fetchers, fetching, until)
            image = await self._done(self._readers, replace(reading, fetched=data), until)
        assert isinstance(image, Image)
        return image

    async def _done(self, threads: Readers, work: Callable[[Task[Any]], Any], until: float) -> Any:
        task: Task[Any] = Task(work)
        threads.submit(task)
        try:
            return await within(task.future, until)
        except TimeoutError:
            if task.began is not None:  # a thread is at it, and can't be ended
                threads.give_up(task)
            raise _late("reading the image", self._options) from None

    async def _predicted(self, served: Served, future: Future[Outcome], until: float) -> Outcome:
        try:
            outcome = await within(future, until)
        except TimeoutError:
            self._metrics.image(served.name, "late")
            raise _late("the model", self._options) from None
        except Exception:
            self._metrics.image(served.name, "failed")
            raise
        self._metrics.image(served.name, "predicted", outcome.waited)
        return outcome


@dataclass(frozen=True)
class Reading:
    """The work of a thread: finds the image in the body and decodes it. fetched: the bytes behind
    the URL in the body."""

    body: bytes
    content_type: str
    asked: Asked
    options: Options
    share: Share
    until: float
    fetched: bytes | None = None

    def __call__(self, task: Task[Image | Upload]) -> Image | Upload:  # noqa: ARG002 - a task is given itself
        """The image, or an upload whose URL is to be fetched first. Raises: Refusal or
        ImageError."""
        upload = parse(self.body, self.content_type)
        if upload.url is not None and not self.options.allow_urls:
            fix = "Send the image itself, or start the server with --allow-urls."
            raise Refusal(422, UNREAD, "This server fetches no URLs.", fix)
        if upload.url is not None and self.fetched is None:
            return upload
        return read(
            upload.data if self.fetched is None else self.fetched,
            exif=self.asked.exif,
            name=self.asked.file or upload.file or upload.url or UNNAMED,
            limits=self.options.limits,
            reserve=lambda count: self.share.wait_for(count, until=self.until),
        )


@dataclass(frozen=True)
class Fetching:
    """The work of a thread: fetches what is behind a URL."""

    url: str
    options: Options
    until: float

    def __call__(self, task: Task[bytes]) -> bytes:  # noqa: ARG002 - a task is given itself
        """The bytes. Raises: ImageError."""
        limits = self.options.limits
        most = min(limits.download, self.options.max_bytes)
        seconds = min(limits.seconds, max(0.1, self.until - monotonic()))
        return fetch(self.url, limits=replace(limits, download=most, seconds=seconds))


async def receive(request: Request, options: Options, share: Share) -> bytes:
    """The body of a request.

    Raises: Refusal: 413 before more is read than the options allow, 408 where it does not come in
        time, 415 where it is compressed, 503 where bodies take the memory that they may.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        case = f"It is compressed: Content-Encoding is '{encoding:.40}'."
        raise Refusal(415, UNREAD, case, "Send it as it is.")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > options.max_bytes:
        raise _too_large(options)
    body = bytearray()
    try:
        async with asyncio.timeout(options.receive):
            async for chunk in request.stream():
                if len(body) + len(chunk) > options.max_bytes:
                    raise _too_large(options)
                share.take(len(chunk))
                body += chunk
    except TimeoutError:
        case = f"Its body did not come within {options.receive:g} seconds."
        raise Refusal(408, UNREAD, case, "Send it faster, or smaller.", headers=CLOSE) from None
    return bytes(body)


async def within(future: Future[Result], until: float) -> Result:
    """What a thread makes. Raises: TimeoutError at that time; what has not been begun is not done
    then."""
    return await asyncio.wait_for(asyncio.wrap_future(future), max(0.0, until - monotonic()))


def answer_of(served: Served, image: Image, outcome: Outcome) -> Answered:
    """The answer: what `zoo detect --json FILE.jsonl` writes for the image, byte for byte."""
    record = object_of(outcome.detections, model=served.name, weights_sha256=served.weights_sha256)
    facts: dict[str, object] = {
        "model": served.name,
        "size": f"{record['width']}x{record['height']}",
        "detections": len(outcome.detections),
        "batch": outcome.batch,
        "wait_ms": round(1000 * outcome.waited, 1),
        "predict_ms": round(1000 * outcome.ran, 1),
    }
    lost = sorted({loss.kind for loss in image.lost})
    return Answered(json.dumps(record).encode() + b"\n", lost, facts)


def _submitted(served: Served, image: Image, protocol: Protocol) -> Future[Outcome]:
    try:
        return served.batcher.submit(image, protocol)
    except RuntimeError:  # it is closed
        raise busy("The image was not taken.", "The server ends.") from None


def _too_large(options: Options) -> Refusal:
    case = f"Its body is larger than {options.max_megabytes:g} MB."
    fix = "Make the image smaller, or start the server with a larger --max-megabytes."
    return Refusal(413, UNREAD, case, fix)


def _late(what: str, options: Options) -> Refusal:
    case = f"It took more than {options.timeout:g} seconds, {what} included."
    fix = "Send it again later, make the image smaller, or start the server with another --timeout."
    return Refusal(504, "The image was not answered.", case, fix)
