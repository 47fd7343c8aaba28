"""The routes of a server, and the OpenAPI document that describes them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Annotated, Any, Literal, NoReturn

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

import zoo
from zoo.errors import UsageError
from zoo.serve import schemas
from zoo.serve.detecting import Detecting, DetectParameters
from zoo.serve.envelope import Answer, Envelope
from zoo.serve.gate import Gate
from zoo.serve.metrics import CONTENT_TYPE, Metrics
from zoo.serve.models import Models
from zoo.serve.options import SCORE, Options
from zoo.serve.refusal import Refusal
from zoo.serve.site import page, policy
from zoo.suggest import close_matches, join_or

MAX_BOXES = 10_000
MAX_NAME_CHARACTERS = 1000
DETECT_STATUSES = (400, 401, 404, 408, 413, 415, 422, 500, 503, 504)
REQUEST = "The request can't be answered."
PARAMETER_VALUES = {
    "model": "a name",
    "score": "a number from 0 to 1",
    "iou": "a number from 0 to 1",
    "max_boxes": f"a whole number from 1 to {MAX_BOXES:,}",
    "exif": "apply or ignore",
    "file": f"1 to {MAX_NAME_CHARACTERS:,} characters",
}

Model = Annotated[str | None, Query(description="A name of `/v1/models`; else the default.")]
Score = Annotated[float, Query(ge=0, le=1, description="Leave out boxes with a lower score.")]
IouQuery = Annotated[
    float | None,
    Query(ge=0, le=1, description="Suppress boxes above this IoU; else the family's own."),
]
MaxBoxes = Annotated[
    int | None,
    Query(ge=1, le=MAX_BOXES, description="At most this many boxes; else the family's own."),
]
Exif = Annotated[
    Literal["apply", "ignore"],
    Query(description="Turn the image upright as EXIF says, or take it as stored."),
]
File = Annotated[
    str | None,
    Query(
        min_length=1, max_length=MAX_NAME_CHARACTERS, description="The image's name in the answer."
    ),
]


def application(models: Models, options: Options, metrics: Metrics, gate: Gate) -> FastAPI:
    """Builds a server's application; its `state.detecting` must be closed at the end."""
    app = FastAPI(
        title="detzoo",
        summary="Detections in images, as `zoo detect --json` writes them.",
        version=zoo.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Envelope, metrics=metrics, gate=gate, tokens=options.tokens)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_exception_handler(RequestValidationError, _refuse_parameter)
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
            **schemas.failures(*_without_401(DETECT_STATUSES, options)),
        },
        openapi_extra={"requestBody": schemas.detect_body(allow_urls=options.allow_urls)},
    )
    async def detect(
        request: Request,
        model: Model = None,
        score: Score = SCORE,
        iou: IouQuery = None,
        max_boxes: MaxBoxes = None,
        exif: Exif = "apply",
        file: File = None,
    ) -> Response:
        _check_parameters(request)
        parameters = DetectParameters(
            model=model, score=score, iou=iou, max_boxes=max_boxes, exif=exif, file=file
        )
        answer = await detecting(request, parameters)
        _answer(request).facts.update(answer.facts)
        headers = {"X-Image-Lost": ",".join(answer.lost)} if answer.lost else None
        return Response(answer.line, media_type="application/json", headers=headers)


def _add_facts(app: FastAPI, models: Models, metrics: Metrics, guard: list[Any]) -> None:
    errors = schemas.failures(401) if guard else {}

    @app.get(
        "/v1/models",
        summary="The models of the server",
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
                503, "The server is unhealthy.", "A model does not respond.", "Restart it."
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
            case = "It is shutting down."
            raise Refusal(503, "The server is not ready.", case, "Send requests elsewhere.")
        return JSONResponse({"status": "ready"})


def _without_401(statuses: tuple[int, ...], options: Options) -> tuple[int, ...]:
    return tuple(status for status in statuses if status != 401 or options.tokens)


def _answer(request: Request) -> Answer:
    answer: Answer = request.scope["state"]["answer"]
    return answer


async def _refuse_route(request: Request, error: Exception) -> NoReturn:
    """Raises: Refusal for a path or method that there is not."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another")
        case, fix = f"'{path:.100}' does not take {request.method:.20}.", f"Use {allowed}."
    elif error.status_code == 404:
        case, fix = f"There is no '{path:.100}' here.", "See /openapi.json for all paths."
    else:
        case, fix = f"{error.detail}.", "See /openapi.json."
    raise Refusal(error.status_code, REQUEST, case, fix, headers=dict(error.headers or {}))


def _check_parameters(request: Request) -> None:
    """Raises: UsageError for an unknown parameter."""
    names = [field.name for field in fields(DetectParameters)]
    for name in request.query_params:
        if name not in names:
            alike = close_matches(name, names)
            fix = f"Did you mean {join_or(alike)}?" if alike else f"There are {', '.join(names)}."
            failure = f"The parameter '{name:.100}' can't be used."
            raise UsageError(failure, "There is no parameter of that name.", fix)


async def _refuse_parameter(request: Request, error: Exception) -> NoReturn:  # noqa: ARG001 - the signature of handlers
    """Raises: UsageError for the first parameter whose value can't be used."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(step) for step in first["loc"][1:])
    value = json.dumps(first.get("input"), default=str)
    case = f"It takes {PARAMETER_VALUES[name]}; {value:.100} was given."
    fix = "Change it, or leave it out. /openapi.json has every parameter."
    raise UsageError(f"The parameter '{name}' can't be used.", case, fix)
