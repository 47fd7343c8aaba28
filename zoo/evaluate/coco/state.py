"""Outcomes as bytes and back: safetensors, so that any tool can read them and none of them runs
code; nothing is trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.evaluate.coco.match_records import MatchRecords, nothing
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.settings import CocoSettings
from zoo.limits import check_json

VERSION = 2


class Header(msgspec.Struct, frozen=True):
    """Provenance of the records.

    dataset: sha256 of the ground truth they were matched against. unmet: see `Evaluator.unmet`.
    """

    dataset: str
    settings: CocoSettings
    policy: EdgeCasePolicy
    analyses: bool
    unmet: dict[str, int]
    version: int = VERSION


def pack(outcomes: MatchRecords, header: Header) -> bytes:
    """The same bytes for the same outcomes, whatever way they came together."""
    columns = {
        column.name: np.ascontiguousarray(getattr(outcomes, column.name))
        for column in fields(outcomes)
    }
    about = np.frombuffer(msgspec.json.encode(header, order="sorted"), np.uint8)
    return with_fingerprint(columns | {"header": about})


def with_fingerprint(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Columns as safetensors, with a fingerprint of them all as one more: a single changed byte is
    found when they are read."""
    from safetensors.numpy import save  # deferred: measuring needs none

    return save({**columns, "sha256": _fingerprint(columns)})


def _fingerprint(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    digest = hashlib.sha256()
    for name, column in sorted(columns.items()):
        digest.update(f"{name} {column.dtype.str} {column.shape} ".encode())
        digest.update(np.ascontiguousarray(column).data)
    return np.frombuffer(digest.digest(), np.uint8)


def unpack(state: bytes) -> tuple[MatchRecords, Header]:
    """Raises: DataError where the bytes are not a whole state."""
    from safetensors import SafetensorError  # deferred: measuring needs none
    from safetensors.numpy import load

    try:
        columns = load(state)
        about = columns["header"].tobytes()
        check_json(about)
        header = msgspec.json.decode(about, type=Header)
    except (
        SafetensorError,
        msgspec.DecodeError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise _state_error(f"They are not the whole state of an evaluator: {error}") from None
    if header.version != VERSION:
        raise _state_error(
            f"They are of version {header.version}; this one reads version {VERSION}."
        )
    seal = columns.pop("sha256", None)
    if seal is None or seal.tobytes() != _fingerprint(columns).tobytes():
        raise _state_error("They were changed on the way: their sha256 is not the one they carry.")
    del columns["header"]
    try:
        outcomes = MatchRecords(**columns)
    except TypeError as error:
        raise _state_error(f"They are not the whole state of an evaluator: {error}") from None
    return outcomes, header


def check(outcomes: MatchRecords, plan: MatchingProblem, *, analyses: bool) -> None:
    """Raises: DataError where a record points outside of the data set: the kernel would follow
    it."""
    count, images, ranges = len(outcomes.scores), len(outcomes.images), len(plan.ranges)
    near = count if analyses else 0
    shapes = {
        "starts": (images + 1,),
        "correct": (len(outcomes.hits), ranges),
        "ignored": (len(outcomes.hits), ranges),
    }
    shapes |= {"found": (near,), "boxes": (near, 2), "ious": (near, 2)}
    for column, blank in vars(nothing(ranges=ranges)).items():
        array = getattr(outcomes, column)
        shape = shapes.get(
            column,
            (images,)
            if column == "images"
            else (len(outcomes.hits),)
            if column == "hits"
            else (count,),
        )
        if array.shape != shape or (
            array.dtype != blank.dtype and (column, array.dtype) != ("scores", np.float64)
        ):
            raise _state_error(f"Their column '{column}' is {array.dtype} {array.shape}.")
    truth = plan.truth
    sound = {
        "images": _ascending(outcomes.images, len(truth)),
        "starts": outcomes.starts[0] == 0
        and outcomes.starts[-1] == count
        and bool((np.diff(outcomes.starts) >= 0).all()),
        "scores": bool(np.isfinite(outcomes.scores).all()),
        "labels": bool((outcomes.labels < len(truth.label_space)).all()),
        "hits": _ascending(outcomes.hits, count),
        "boxes": bool(((outcomes.boxes >= -1) & (outcomes.boxes < len(truth.labels))).all()),
    }
    for column, fine in sound.items():
        if not fine:
            raise _state_error(f"Their column '{column}' points outside of {truth.name}.")


def _ascending(values: NDArray[Any], limit: int) -> bool:
    inside = len(values) == 0 or (values[0] >= 0 and values[-1] < limit)
    return bool(inside and (np.diff(values) > 0).all())


def _state_error(case: str) -> DataError:
    return DataError(
        "The state of an evaluator can't be read from bytes.",
        case,
        "Pass what `Evaluator.state()` gave, unchanged.",
    )
