"""The server's requests and answers, for its OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Coordinate = Annotated[float, Field(description="In pixels of the upright image.")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Kind = Literal["ImageError", "UsageError", "NameNotFound", "NameAmbiguous", "ServerError"]
BYTES = {"type": "string", "format": "binary", "minLength": 1}


class Answer(BaseModel):
    """The base of every answer, which has no other fields than those described."""

    model_config = ConfigDict(extra="forbid")


class Detection(Answer):
    """One detection. box: x1, y1, x2, y2; label: an index of the model's classes."""

    box: Annotated[list[Coordinate], Field(min_length=4, max_length=4)]
    score: Fraction
    label: Annotated[int, Field(ge=0)]
    name: str


class ImageDetections(Answer):
    """The detections of one image, best first: a line of `zoo detect --json FILE.jsonl`."""

    file: Annotated[str, Field(description="The image's name in the request, or `image`.")]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    model: str
    weights_sha256: str | None
    detections: list[Detection]


class Thresholds(Answer):
    """The thresholds of a request without its own."""

    score: Fraction
    iou: Fraction
    max_boxes: Annotated[int, Field(ge=1)]


class Model(Answer):
    """One model of the server."""

    name: str
    default: Annotated[bool, Field(description="Whether it answers requests that name no model.")]
    classes: list[str]
    weights_sha256: str | None
    thresholds: Thresholds


class ModelList(Answer):
    """All models of the server."""

    models: list[Model]


class Parts(Answer):
    """An error in three parts."""

    kind: Annotated[Kind, Field(description="The error that zoo.serve.Client raises for it.")]
    what: Annotated[str, Field(description="What failed.")]
    why: Annotated[str, Field(description="Why.")]
    next: Annotated[str, Field(description="What to do next.")]


class Failure(Answer):
    """The error of a request."""

    error: Parts
    request_id: str


class State(Answer):
    """The state of the server."""

    status: str


REASONS = {
    400: "The body is broken.",
    401: "No bearer token, or a wrong one.",
    404: "No model of that name is served.",
    408: "The body was not received in time.",
    413: "The body is larger than the server takes.",
    415: "The server can't read that content type.",
    422: "A parameter or the image can't be used.",
    500: "The model or the server failed.",
    503: "The server is busy or shutting down; Retry-After says when to send the request again.",
    504: "The answer took longer than the server's limit.",
}
REQUEST_ID = {
    "X-Request-Id": {
        "description": "The client's id of the request, else a new one; it is also in the logs.",
        "schema": {"type": "string"},
    }
}


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors with these statuses, as FastAPI's `responses`."""
    answers: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        headers: dict[str, Any] = dict(REQUEST_ID)
        if status == 401:
            headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
        if status == 503:
            headers["Retry-After"] = {"schema": {"type": "integer"}}
        answers[status] = {"model": Failure, "description": REASONS[status], "headers": headers}
    return answers


def detect_body(*, allow_urls: bool) -> dict[str, Any]:
    """The OpenAPI description of the body of `/v1/detect`."""
    image = {"type": "string", "format": "byte", "minLength": 4}
    file = {"type": "string", "maxLength": 1000}
    forms = [_object({"image": image, "file": file}, "image")]
    if allow_urls:
        url = {"type": "string", "format": "uri", "pattern": "^https?://"}
        forms.append(_object({"url": url, "file": file}, "url"))
    form = _object({"image": BYTES}, "image")
    kinds = {kind: {"schema": BYTES} for kind in ("image/jpeg", "image/png", "image/*")}
    return {
        "required": True,
        "description": "One image: its bytes, a file of a form, or base64 in JSON.",
        "content": {
            **kinds,
            "application/octet-stream": {"schema": BYTES},
            "multipart/form-data": {"schema": form},
            "application/json": {"schema": forms[0] if len(forms) == 1 else {"oneOf": forms}},
        },
    }


def _object(properties: dict[str, Any], required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [required],
        "additionalProperties": False,
    }
