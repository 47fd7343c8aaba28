"""An entry in which one field was changed: by hand it is always seen; by somebody who seals it anew, wherever it is said twice."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from zoo.errors import DataError
from zoo.leaderboard import Entry, check
from zoo.leaderboard.agreement import contradictions
from zoo.leaderboard.checks import disqualifying
from zoo.registry.card import Claim

Steps = tuple[str | int, ...]

# What an entry says once, so that only measuring again could tell: names and notes, what the numbers were made by, the scores at
# which something happens, and costs and errors that need the detections. In `per_class` and in lists, * is any item.
SAID_ONCE = {
    "data",
    "format",
    "model.family",
    "model.name",
    "model.published.claims.*.source",
    "model.weights.bytes",
    "report.measured.data",
    "report.measured.images",
    "report.measured.pictures",
    "report.provenance.*",
    "report.resamplings.seed",
}


def leaves(value: Any, at: Steps = ()) -> Iterator[Steps]:
    """The steps to every value in JSON that is known; of lists of numbers the middle one stands for all."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*at, name))
    elif isinstance(value, list) and value and not isinstance(value[0], (dict, list)):
        yield from leaves(value[len(value) // 2], (*at, len(value) // 2))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*at, place))
    elif value is not None:
        yield at


def other(value: Any) -> Any:
    """Another value of that type, which a reader may well believe."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 7
    if isinstance(value, float):
        return value - 0.07 if value > 0.6 else value + 0.07
    return ("0" if value[:1] != "0" else "1") + value[1:]


def changed_at(content: Any, steps: Steps) -> Any:
    """A copy with another value there."""
    made = place = copy.deepcopy(content)
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = other(place[steps[-1]])
    return made


def found(content: Any, beside: Entry, *, sealed: bool) -> bool:
    """Whether an entry with that content is refused or put out of the table, beside a good one."""
    try:
        entry = msgspec.convert(content, Entry)
    except msgspec.ValidationError:
        return True
    if sealed:
        entry = structs.replace(entry, seal=entry.sealed())
    return any(one.entry == entry.name for one in check([beside, beside, entry]) if one.check not in ("twice", "same_numbers"))


@pytest.fixture
def content(make_entry: Callable[..., Entry]) -> Any:
    """An entry as JSON, sealed."""
    entry = make_entry("toy", claimed=100 * make_entry().report.ap, published=1_000_000, sha256="a" * 64)
    entry = structs.replace(entry, report=entry.report.with_provenance({"weights_sha256": "a" * 64}))
    return json.loads(msgspec.json.encode(structs.replace(entry, seal=entry.sealed())))
