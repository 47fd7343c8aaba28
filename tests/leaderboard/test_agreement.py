"""An entry in which one field was changed: by hand it is always seen, and sealed anew wherever it
is said twice."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import msgspec
import pytest
from msgspec import structs

from zoo.evaluate import Report
from zoo.evaluate.diagnostics.consistency import contradictions
from zoo.evaluate.intervals import Interval
from zoo.leaderboard import Entry, check
from zoo.leaderboard.checks import disqualifying

Steps = tuple[str | int, ...]

# What an entry says once, so that only measuring again could tell, * being any name; and what a
# change of 7 % leaves in bounds.
SAID_ONCE = (
    "data", "model.name", "model.family", "model.parameters", "model.published.*",
    "model.weights.bytes", "timing.*",
    "report.format", "report.measured.data", "report.provenance.*",
    "report.per_class.*.interval.*", "report.per_class.*.lrp.score",
    "report.per_class.*.operating.score",
    "report.analyses.calibration.la_ece", "report.analyses.mistakes.false_*",
    "report.analyses.mistakes.kinds.*.cost",
    "report.analyses.mistakes.kinds.missed.count",
)  # fmt: skip


def leaves(value: Any, at: Steps = ()) -> Iterator[Steps]:
    """The steps to every value in JSON that is known; of lists of numbers the middle one stands for
    all."""
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


def seen(entry: Entry, beside: Entry) -> bool:
    """Whether the checks find something in an entry beside good ones of another model, its likeness
    to nobody aside."""
    return bool(contradictions(entry.report)) or any(
        one.entry == entry.name for one in check([beside, beside, entry])
    )


def read(content: Any) -> Entry | None:
    """None where the schema refuses it."""
    try:
        return msgspec.convert(content, Entry)
    except msgspec.ValidationError:
        return None


@pytest.fixture
def content(make_entry: Callable[..., Entry]) -> Any:
    """An entry as JSON, sealed."""
    entry = make_entry(
        "toy", claimed=100 * make_entry().report.ap, published=1_000_000, sha256="a" * 64
    )
    entry = structs.replace(
        entry, report=entry.report.with_provenance({"weights_sha256": "a" * 64})
    )
    return json.loads(msgspec.json.encode(structs.replace(entry, seal=entry.computed_seal())))


def test_nothing_is_seen_in_an_entry_that_was_left_as_it_is(
    content: Any, make_entry: Callable[..., Entry]
) -> None:
    entry = read(content)
    assert entry is not None
    assert not seen(entry, make_entry("beside", quality=0.6))


def test_whatever_is_changed_by_hand_is_seen(content: Any) -> None:
    for steps in leaves(content):
        entry = read(changed_at(content, steps))
        assert entry is None or entry.seal != entry.computed_seal(), steps
    entry = read(changed_at(content, ("model", "name")))
    assert entry is not None
    assert [(one.check, one.field) for one in check([entry]) if disqualifying(one)] == [
        ("changed", "seal")
    ]


@pytest.mark.slow
def test_what_is_changed_and_sealed_anew_is_seen_wherever_it_is_said_twice(
    content: Any, make_entry: Callable[..., Entry]
) -> None:
    beside = make_entry("beside", quality=0.6)
    for steps in leaves({name: part for name, part in content.items() if name != "seal"}):
        at = ".".join(map(str, steps))
        entry = read(changed_at(content, steps))
        if entry is None or any(fnmatch(at, pattern) for pattern in SAID_ONCE):
            continue
        assert seen(structs.replace(entry, seal=entry.computed_seal()), beside), at


def better(report: Report, **parts: Any) -> Report:
    """A report whose AP is said to be .9, wherever `parts` do not say more."""
    return replace(
        report, numbers={**report.numbers, "AP": 0.9, "AP50": 0.95, "AP75": 0.92}, **parts
    )


def test_a_forger_who_changes_numbers_and_intervals_and_classes_is_seen_still(
    make_entry: Callable[..., Entry],
) -> None:
    """Each lie asks for the next; the last one is to make up every replicate."""
    entry = make_entry("forged")
    report = entry.report
    intervals = {
        **report.intervals,
        **{name: Interval(0.85, 0.97) for name in ("AP", "AP50", "AP75")},
    }
    classes = {
        name: replace(one, ap=0.9, ap50=0.95, ap75=0.92, interval=None)
        for name, one in report.per_class.items()
    }
    lies: list[dict[str, Any]] = [
        {},
        {"intervals": intervals},
        {"intervals": intervals, "per_class": classes},
    ]
    lies.append(
        {
            **lies[-1],
            "curves": {
                name: (value,) * 101
                for name, value in {"AP": 0.9, "AP50": 0.95, "AP75": 0.92}.items()
            },
        }
    )
    lies.append({**lies[-1], "resamplings": None, "intervals": {}})
    lies.append({**lies[-1], "per_class": {}, "analyses": None})
    for parts in lies:
        found = check([structs.replace(entry, report=better(report, **parts))])
        assert any(disqualifying(one) for one in found), parts.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [("AP", float("nan")), ("AP", 1.2), ("AP", -0.1), ("AP50", float("inf"))],
    ids=str,
)
def test_a_number_that_is_no_share_is_seen_though_no_file_was_read(
    name: str, value: float, make_entry: Callable[..., Entry]
) -> None:
    entry = make_entry()
    report = replace(entry.report, numbers={**entry.report.numbers, name: value})
    [found] = check([structs.replace(entry, report=report)])
    assert (found.check, found.field) == ("impossible", f"report.numbers.{name}")


def test_a_report_of_other_settings_or_weights_than_the_entry_says_is_seen(
    make_entry: Callable[..., Entry],
) -> None:
    entry = make_entry(sha256="a" * 64)
    facts = {
        "protocol_settings": '{"score": 0.3}',
        "weights_sha256": "b" * 64,
        "weights_source": "x",
    }
    for key, value in facts.items():
        [found] = check([structs.replace(entry, report=entry.report.with_provenance({key: value}))])
        assert found.check == "other_provenance"
        assert key in found.case
        assert disqualifying(found)


def test_a_report_of_other_annotations_than_it_says_is_seen(
    make_entry: Callable[..., Entry],
) -> None:
    entry = make_entry()
    [found] = check(
        [structs.replace(entry, report=entry.report.with_provenance({"data_sha256": "b" * 64}))]
    )
    assert (found.check, found.field) == ("impossible", "report.provenance.data_sha256")
    assert disqualifying(found)


def test_times_that_no_clock_gives_are_seen(make_entry: Callable[..., Entry]) -> None:
    entry = make_entry()
    assert entry.timing is not None
    timing = structs.replace(entry.timing, p95_ms=0.5, runs=0)
    found = check([structs.replace(entry, timing=timing)])
    assert {(one.check, one.field) for one in found} == {
        ("odd_timing", "timing.p95_ms"),
        ("odd_timing", "timing.runs"),
    }
