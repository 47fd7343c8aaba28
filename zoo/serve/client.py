"""A client of `zoo serve`: sends images of any form, and returns `Detections`."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import PIL.Image

from zoo.contract.protocol import Thresholds
from zoo.detections import Detections
from zoo.errors import ImageError, NameAmbiguous, NameNotFound, UsageError, ZooError
from zoo.images import Exif, Source, read
from zoo.images.read import is_url, name_of, path_of
from zoo.labels import LabelSpace, space_of
from zoo.printable import without_password

PAUSE_SECONDS = 0.2  # before the first retry; doubled with each
MAX_PAUSE_SECONDS = 10.0
# A load balancer has no server at the moment; the server is busy, or is shutting down.
RETRY_STATUSES = (502, 503)
CLIENT_ERRORS = {
    kind.__name__: kind for kind in (ImageError, UsageError, NameNotFound, NameAmbiguous)
}


class ServerError(ZooError):
    """A server refused, failed or did not answer.

    status:     of the answer; None without one.
    request_id: the request's id, which is also in the server's log.
    """

    def __init__(
        self,
        failure: str,
        case: str,
        fix: str,
        *,
        status: int | None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(failure, case, fix)
        self.status = status
        self.request_id = request_id


@dataclass(frozen=True)
class ServedModel:
    """One model of a server. default: whether it answers requests that name no model."""

    name: str
    label_space: LabelSpace
    weights_sha256: str | None
    thresholds: Thresholds
    default: bool


class Client:
    """A connection to `zoo serve`, which several threads may use at a time.

    url:     the server's address, for example `http://127.0.0.1:8000`.
    token:   the bearer token, if the server requires one.
    timeout: seconds without a byte from the server, after which a request fails.
    retries: further tries while the server is busy, starting or shutting down; a repeated request
             does no harm.

    Raises: UsageError for an invalid URL or token.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        token: str | None = None,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        headers = {"Authorization": f"Bearer {_token(token)}"} if token else {}
        address = _address(url)
        self._name = without_password(address)
        self._retries = retries
        self._client = httpx2.Client(base_url=address, headers=headers, timeout=timeout)
        self._models: dict[str, ServedModel] = {}

    def detect(
        self,
        image: Source,
        *,
        model: str | None = None,
        score: float = 0.3,
        iou: float | None = None,
        max_boxes: int | None = None,
        exif: Exif = "apply",
    ) -> Detections:
        """Detects objects in one image.

        image: a path or bytes, which are sent as they are; a URL, which the server fetches if it
            may; a PIL image, array or tensor, which is sent as PNG.
        model: a name of `models()`; None is the server's default.

        Raises:
            ImageError: the image can't be read, here or on the server.
            UsageError: a threshold or another parameter can't be used.
            NameNotFound, NameAmbiguous: no model of that name is served, or several are.
            ServerError: the server refuses, fails, or does not answer.
        """
        parameters = {
            "model": model,
            "score": score,
            "iou": iou,
            "max_boxes": max_boxes,
            "exif": exif,
        }
        query = {key: str(value) for key, value in parameters.items() if value is not None}
        name = name_of(image)
        if isinstance(image, str | os.PathLike) and is_url(path_of(image)):
            content: dict[str, Any] = {"json": {"url": os.fspath(image)}}
        else:
            body, query["exif"] = _bytes_of(image, name, exif)
            kind = {"Content-Type": "application/octet-stream"}
            content = {"content": body, "headers": kind}
            query["file"] = name[:1000].encode(errors="replace").decode()
        answer = self._request("POST", "/v1/detect", image=name, params=query, **content)
        return Detections.from_json(answer, label_space=self._space(str(answer["model"])))

    def models(self) -> list[ServedModel]:
        """The models that the server has, the default first."""
        answer = self._request("GET", "/v1/models")
        models = [_model(facts) for facts in answer["models"]]
        self._models = {model.name: model for model in models}
        return models

    def is_ready(self) -> bool:
        """Whether the server answers and accepts requests."""
        try:
            return self._client.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _space(self, model: str) -> LabelSpace:
        if model not in self._models:
            self.models()
        return self._models[model].label_space

    def _request(
        self, method: str, path: str, *, image: str | None = None, **request: Any
    ) -> Mapping[str, Any]:
        """Sends a request, with retries, and returns the JSON of the answer.

        Raises: ServerError, and those of `CLIENT_ERRORS`.
        """
        pause = PAUSE_SECONDS
        for retries_left in range(self._retries, -1, -1):
            try:
                response = self._client.request(method, path, **request)
            except httpx2.TransportError as error:
                if not retries_left:
                    raise _silent(self._name, error) from error
            else:
                if response.status_code not in RETRY_STATUSES or not retries_left:
                    return self._read(response, image)
                retry_after = response.headers.get("Retry-After", "")
                pause = max(pause, float(retry_after) if retry_after.isdecimal() else 0.0)
            time.sleep(min(pause, MAX_PAUSE_SECONDS))
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def _read(self, response: httpx2.Response, image: str | None) -> Mapping[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code == 200 and isinstance(answer, dict):
            return answer
        raise _error_of(response.status_code, answer, self._name, image)


def _address(url: str) -> str:
    """The URL without slashes at its end. Raises: UsageError unless it is an http(s) URL."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        parsed = httpx2.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        case = f"'{without_password(url):.100}' is not the address of a server."
        raise UsageError("A client can't be made.", case, "Write for example http://127.0.0.1:8000")
    return url.rstrip("/")


def _token(text: str) -> str:
    """The token without the line break of a file. Raises: UsageError if a header can't hold it; the
    message leaves it out, because it is secret."""
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        case = "The token is not one line of ASCII without blanks."
        raise UsageError("A client can't be made.", case, "Pass one of the server's tokens.")
    return token


def _bytes_of(image: Source, name: str, exif: Exif) -> tuple[bytes, Exif]:
    """The bytes to send for an image, and how the server shall treat its EXIF orientation."""
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image), exif
    if isinstance(image, str | os.PathLike):
        from zoo.files import read_regular  # deferred: most images are pixels or bytes here

        try:
            return read_regular(path_of(image)), exif
        except (OSError, ValueError):
            read(image, name=name)  # raises the error that explains what is wrong with the path
            raise
    pixels = read(image, exif=exif, name=name).pixels
    file = io.BytesIO()
    PIL.Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(file, "PNG", compress_level=1)
    return file.getvalue(), "apply"


def _model(facts: Mapping[str, Any]) -> ServedModel:
    return ServedModel(
        name=facts["name"],
        label_space=space_of(facts["classes"]),
        weights_sha256=facts["weights_sha256"],
        thresholds=Thresholds(**facts["thresholds"]),
        default=facts["default"],
    )


def _silent(url: str, error: Exception) -> ServerError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    fix = "Start it: zoo serve NAME; or check the address and the network."
    return ServerError(f"The server at {url} did not answer.", f"{reason}.", fix, status=None)


def _error_of(status: int, answer: Any, url: str, image: str | None) -> ZooError:
    """The error for an answer: of the class that it names, else a ServerError."""
    body = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(body, dict):
        case = f"It answered {status}, and not as zoo serve does."
        return ServerError(
            f"The server at {url} failed.", case, "Check the address.", status=status
        )
    parts = [str(body.get(name, "")) for name in ("what", "why", "next")]
    kind = CLIENT_ERRORS.get(str(body.get("kind")))
    if kind is ImageError:
        return ImageError(*parts, file=image)
    if kind is not None:
        return kind(*parts)
    request_id = str(answer.get("request_id", ""))
    return ServerError(*parts, status=status, request_id=request_id)
