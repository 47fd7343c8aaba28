"""The routes of a server, and the OpenAPI document that describes them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

import zoo
from zoo.errors import UsageError
from zoo.serve import schemas
from zoo.serve.detecting import Asked, Detecting
from zoo.serve.envelope import Answer, Envelope
from zoo.serve.gate import Gate
from zoo.serve.metrics import CONTENT_TYPE, Metrics
from zoo.serve.models import Models
from zoo.serve.options import SCORE, Options
from zoo.serve.refusal import Refusal
from zoo.serve.site import page, policy
from zoo.suggest import close_matches, join_or

MOST_BOXES = 10_000
MOST_CHARACTERS = 1000
DETECT = (400, 401, 404, 408, 413, 415, 422, 500, 503, 504)
REQUEST = "The request can't be answered."
TAKES = {  # what each parameter does, in words
    "model": "a name",
    "score": "a number from 0 to 1",
    "iou": "a number from 0 to 1",
    "max_boxes": f"a whole number from 1 to {MOST_BOXES:,}",
    "exif": "apply or ignore",
    "file": f"1 to {MOST_CHARACTERS:,} characters",
}

Model = Annotated[str | None, Query(description="A name of `/v1/models`; else the default.")]
Score = Annotated[float, Query(ge=0, le=1, description="Leave out what the model is less sure of.")]
Overlap = Annotated[
    float | None,
    Query(ge=0, le=1, description="Suppress boxes above this overlap; else the family's own."),
]
MaxBoxes = Annotated[
    int | None,
    Query(ge=1, le=MOST_BOXES, description="At most this many boxes; else the family's own."),
]
Exif = Annotated[
    Literal["apply", "ignore"],
    Query(description="Turn the image upright as EXIF says, or take it as stored."),
]
File = Annotated[
    str | None,
    Query(min_length=1, max_length=MOST_CHARACTERS, description="The image's name in the answer."),
]


def application(models: Models, options: Options, metrics: Metrics, gate: Gate) -> FastAPI:
    """The application of a server; `application.state.detecting` is to be closed at its end."""
    app = FastAPI(
        title="detzoo",
        summary="Detections in images, as `zoo detect --json` writes them.",
        version=zoo.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Envelope, metrics=metrics, gate=gate, tokens=options.tokens)
    app.add_exception_handler(HTTPException, _refused_route)
    app.add_exception_handler(RequestValidationError, _refused_parameter)
    app.state.detecting = Detecting(models, options, metrics, gate)
    guard = [Depends(HTTPBearer(auto_error=False))] if options.tokens else []
    _add_detect(app, app.state.detecting, options, guard)
    _add_facts(app, models, metrics, guard)
    _add_states(app, models, options, gate)
    return app


def _add_detect(app: FastAPI, detecting: Detecting, options: Options, guard: list[Any]) -> None:
    @app.post(
        "/v1/detect",
        summary="Detect in one image",
        response_class=JSONResponse,
        dependencies=guard,
        responses={
            200: {"model": schemas.ImageDetections, "headers": schemas.REQUEST_ID},
            **schemas.failures(*_without_401(DETECT, options)),
        },
        openapi_extra={"requestBody": schemas.detect_body(allow_urls=options.allow_urls)},
    )
    async def detect(
        request: Request,
        model: Model = None,
        score: Score = SCORE,
        iou: Overlap = None,
        max_boxes: MaxBoxes = None,
        exif: Exif = "apply",
        file: File = None,
    ) -> Response:
        _check_parameters(request)
        asked = Asked(model=model, score=score, iou=iou, max_boxes=max_boxes, exif=exif, file=file)
        answered = await detecting(request, asked)
        _answer(request).facts.update(answered.facts)
        headers = {"X-Image-Lost": ",".join(answered.lost)} if answered.lost else None
        return Response(answered.line, media_type="application/json", headers=headers)


def _add_facts(app: FastAPI, models: Models, metrics: Metrics, guard: list[Any]) -> None:
    errors = schemas.failures(401) if guard else {}

    @app.get(
        "/v1/models",
        summary="The models that are served",
        response_class=JSONResponse,
        dependencies=guard,
        responses={200: {"model": schemas.ModelList}, **errors},
    )
    async def list_models() -> Response:
        return JSONResponse({"models": models.facts()})

    @app.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        dependencies=guard,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **errors},
    )
    async def show_metrics() -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/", include_in_schema=False)
    async def show_page() -> Response:
        headers = {"Content-Security-Policy": policy(), "Referrer-Policy": "no-referrer"}
        return Response(page(), media_type="text/html; charset=utf-8", headers=headers)


def _add_states(app: FastAPI, models: Models, options: Options, gate: Gate) -> None:
    @app.get(
        "/healthz",
        summary="Whether the server should go on",
        response_class=JSONResponse,
        responses={200: {"model": schemas.State}, **schemas.failures(503)},
    )
    async def show_health() -> Response:
        if models.is_stuck(2 * options.timeout):
            raise Refusal(
                503, "The server is not well.", "A model does not come back.", "Start it again."
            )
        return JSONResponse({"status": "ok"})

    @app.get(
        "/readyz",
        summary="Whether requests should be sent here",
        response_class=JSONResponse,
        responses={200: {"model": schemas.State}, **schemas.failures(503)},
    )
    async def show_readiness() -> Response:
        if gate.is_draining:
            raise Refusal(503, "The server is not ready.", "It ends.", "Send requests elsewhere.")
        return JSONResponse({"status": "ready"})


def _without_401(statuses: tuple[int, ...], options: Options) -> tuple[int, ...]:
    return tuple(status for status in statuses if status != 401 or options.tokens)


def _answer(request: Request) -> Answer:
    answer: Answer = request.scope["state"]["answer"]
    return answer


async def _refused_route(request: Request, error: Exception) -> Response:
    """What the router refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another")
        case, fix = f"'{path:.100}' does not take {request.method:.20}.", f"Use {allowed}."
    elif error.status_code == 404:
        case, fix = f"There is no '{path:.100}' here.", "See /openapi.json for what there is."
    else:
        case, fix = f"{error.detail}.", "See /openapi.json."
    raise Refusal(error.status_code, REQUEST, case, fix, headers=dict(error.headers or {}))


def _check_parameters(request: Request) -> None:
    """Raises: UsageError for a parameter that nothing reads."""
    known = [field.name for field in fields(Asked)]
    for name in request.query_params:
        if name not in known:
            meant = close_matches(name, known)
            fix = f"Did you mean {join_or(meant)}?" if meant else f"There are {', '.join(known)}."
            what = f"The parameter '{name:.100}' can't be used."
            raise UsageError(what, "Nothing reads one of that name.", fix)


async def _refused_parameter(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the signature of handlers
    """A query parameter that can't be used."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(place) for place in first["loc"][1:])
    given = json.dumps(first.get("input"), default=str)
    case = f"It takes {TAKES[name]}; {given:.100} was given."
    fix = "Change it, or leave it out. /openapi.json has every parameter."
    raise UsageError(f"The parameter '{name}' can't be used.", case, fix)
