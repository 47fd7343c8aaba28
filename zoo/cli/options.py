"""Options that several commands share: weights, device, batch size, labels and settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from zoo.errors import CardError, UsageError
from zoo.labels import builtin
from zoo.registry import Catalogue, catalogue
from zoo.registry.folder import FILE_PREFIX, HUB_PREFIX, exported_of
from zoo.registry.yaml_document import parse_value
from zoo.weights import Lock, WeightsRequest, request_for
from zoo.weights.hub_model import card_request
from zoo.weights.resolve import RANDOM, current_lock, resolve_name

if TYPE_CHECKING:
    from zoo.contract.protocol import Protocol
    from zoo.video.clip import Part

_TIME = re.compile(r"(\d{1,6}:){0,2}\d{1,9}(\.\d{1,9})?", re.ASCII)

LABELS = "Class names with commas between, or a label space such as coco80."

Weights: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        help="A tag, file:PATH, hub:org/repo@REVISION, or random; else the card's own.",
    ),
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="cpu, cuda, cuda:1 or mps; else torch's default: the CPU.",
    ),
]
Engine: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="auto, onnxruntime, openvino, compile, with ,threads=COUNT; else torch.",
    ),
]
NewLabels: TypeAlias = Annotated[
    str | None,
    typer.Option("--labels", metavar="NAMES", help="Classes instead of the card's."),
]
BatchSize: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COUNT|auto",
        help="Images at once; auto, unless given, is what fits the device's memory.",
    ),
]


class Exif(StrEnum):
    """Use of an image's EXIF orientation."""

    apply = "apply"
    ignore = "ignore"


def check_names(names: Iterable[str]) -> None:
    """Checks names of models before torch is imported to load them; files and Hub repositories are
    checked by loading. Raises: as `Catalogue.resolve`."""
    for name in names:
        if not name.startswith((HUB_PREFIX, FILE_PREFIX)):
            catalogue().resolve(name)


def weights_of(text: str | None) -> bool | str:
    """`--weights` as `zoo.load` takes it: True (the card's own) if not given, False for `random`,
    else the text. Raises: UsageError for an empty text."""
    if text is not None and not text.strip():
        fix = (
            "Leave it out for the card's own, or write --weights random, a tag, file:PATH or "
            "hub:org/repo."
        )
        raise UsageError(f"--weights '{text}' was given.", "That names no weights.", fix)
    if text is None:
        return True
    return False if text == RANDOM else text


def batch_size_of(text: str | None) -> int | Literal["auto"]:
    """`--batch-size` as `zoo.evaluate.predict` takes it. Raises: UsageError if it is neither a
    whole number from 1 nor `auto`."""
    if text is None or text == "auto":
        return "auto"
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or int(text) < 1:
        case = "It is a number of images, at least 1, or auto for what fits."
        raise UsageError(
            f"--batch-size {text:.40} was given.", case, "Write --batch-size 8, for example."
        )
    return int(text)


def value_of(setting: str, text: str) -> Any:
    """The value in `--set NAME=VALUE`, parsed as YAML. Raises: UsageError if it is not YAML, or too
    deeply nested."""
    try:
        return parse_value(text.encode(errors="replace"), "--set")
    except CardError as error:
        raise UsageError(f"--set {setting:.60} was given.", error.case, error.fix) from error


def labels_of(text: str) -> str | list[str]:
    """The name of a built-in label space, or class names in order. Raises: UsageError for an empty
    name."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        remaining = ",".join(filter(None, names)) or "helmet,vest"
        raise UsageError(
            f"--labels '{text}' can't be used.",
            "A name before or after a comma is missing.",
            f"Write --labels {remaining}",
        )
    return text if len(names) == 1 and text in builtin.names() else names


def weights_requests(
    registry: Catalogue, names: Sequence[str], *, lock: Lock | None = None
) -> list[WeightsRequest]:
    """Requests for the cards of models on the Hub, then for the weights of each model, without
    duplicates.

    lock: the lock file to obey; None is the one in force.

    Raises: NameNotFound, NameAmbiguous if no model, or several, have a name; UsageError for an
        exported file, which holds its weights.
    """
    for name in names:
        if exported_of(name):
            raise UsageError(
                f"'{name}' has no weights to fetch.",
                "It is an exported file, which holds its weights and uses no others.",
                "Leave it out, and copy the file itself to where it is needed.",
            )
    obeyed = current_lock() if lock is None else lock
    requests = [card_request(name, obeyed) for name in names if name.startswith(HUB_PREFIX)]
    requests += [request_for(resolve_name(registry, name, lock=obeyed)) for name in names]
    return list({request.entry: request for request in requests}.values())


def thresholds_of(*, score: float, iou: float | None, max_boxes: int | None) -> Protocol:
    """The thresholds of --score, --iou and --max-boxes."""
    from zoo.contract.protocol import Protocol  # deferred: help needs no torch

    return Protocol(score=score, iou=iou, max_boxes=max_boxes)


def part_of(*, every: int, start: str | None, end: str | None) -> Part:
    """The part of a clip by --every, --from and --to; times are `12.5`, `2:05` or `1:02:03.5`.
    Raises: UsageError."""
    from zoo.video.clip import Part  # deferred: help needs no torch

    times = {"start": start, "end": end}
    seconds = {name: _seconds(text) for name, text in times.items() if text is not None}
    return Part(every=every, **seconds)


def _seconds(text: str) -> float:
    if not _TIME.fullmatch(text.strip()):
        case = "A time is seconds, or hours, minutes and seconds with colons between."
        fix = "Write for example 12.5, 2:05 or 1:02:03.5."
        raise UsageError(f"The time '{text:.40}' was given.", case, fix)
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
