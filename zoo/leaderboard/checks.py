"""Checks that catch a wrong table: each says of which entry and which field what is wrong, and what
to do.

They are made from errors found in public leaderboards: a copy of one model's weights under
another's name, two models swapped, misspelt licences, unequal settings in one table, parameters
counted in the training graph. And an entry has to agree with itself (`entry_checks`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate import CocoSettings, EdgeCasePolicy
from zoo.leaderboard.entry import Entry, ModelWeights, Setting
from zoo.leaderboard.entry_checks import (
    CLAIM_POINTS,
    changed_after_writing,
    contradictory_numbers,
    far_from_claim,
    missing_provenance,
    noted_by_evaluate,
    odd_facts,
    odd_timing,
    other_provenance,
    other_published,
    parameters_off,
    unknown_license,
)
from zoo.leaderboard.finding import Check, CheckFunction, Finding, finding
from zoo.text import pluralize

COPIED = 0.75  # share of numbers that two models never have in common
REPLICATES = 100  # compared of each pair
CLOSE = 1e-6  # numbers closer than this are one number, rounded or moved
DISQUALIFYING = {
    Check.MIXED_PROTOCOLS,
    Check.OTHER_DATA,
    Check.OTHER_MEASURE,
    Check.OTHER_PROVENANCE,
    Check.IMPOSSIBLE,
    Check.CHANGED,
}

T = TypeVar("T")


@dataclass(frozen=True)
class Expected:
    """The reference that entries are compared with; an omitted field is what most have.

    protocol: the settings of the table. data: fingerprints by the data set's name. settings,
        policy: of the evaluator. data_notes: notes of the data sets by name, which don't count.
    """

    protocol: Mapping[str, Setting] | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    settings: CocoSettings | None = None
    policy: EdgeCasePolicy | None = None
    data_notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def check(entries: Sequence[Entry], *, expected: Expected | None = None) -> list[Finding]:
    """Everything that is wrong in these entries, taken together; first what keeps one out of the
    table."""
    reference = expected or Expected()
    # a changed file proves nothing about other entries
    as_written = [entry for entry in entries if not any(changed_after_writing([entry]))]
    doubts = [
        *other_data(entries, reference),
        *mixed_protocols(entries, reference),
        *other_measure(entries, reference),
        *noted_by_evaluate(entries, reference.data_notes),
        *(doubt for check_alone in ALONE for doubt in check_alone(entries)),
        *(doubt for check_together in TOGETHER for doubt in check_together(as_written)),
    ]
    fields: dict[Finding, list[str]] = {}
    for doubt in doubts:
        fields.setdefault(replace(doubt, field=""), []).append(doubt.field)
    merged = [
        replace(doubt, field=", ".join(dict.fromkeys(some))) for doubt, some in fields.items()
    ]
    return sorted(merged, key=lambda doubt: not disqualifying(doubt))


def disqualifying(finding: Finding) -> bool:
    """Whether an entry can't be ranked with the others: it was measured otherwise, or is not what
    was measured."""
    return finding.check in DISQUALIFYING


def other_data(entries: Sequence[Entry], expected: Expected) -> Iterator[Finding]:
    """The same data set by name, with other annotations."""
    for name, some in _by_data(entries).items():
        usual = expected.data.get(name) or _most(entry.report.measured.sha256 for entry in some)
        for entry in some:
            measured = entry.report.measured.sha256
            if measured != usual:
                case = (
                    f"{name} has the sha256 {measured[:12]}… here and {usual[:12]}… in the others."
                )
                yield finding(
                    Check.OTHER_DATA,
                    entry,
                    "report.measured.sha256",
                    case,
                    "Measure it on the same annotations.",
                )
    for name in (name for name in _by_data(entries) if expected.data and name not in expected.data):
        for entry in _by_data(entries)[name]:
            case = f"The board has no data set '{name:.60}'; it has {', '.join(expected.data)}."
            yield finding(
                Check.OTHER_DATA,
                entry,
                "data",
                case,
                "Correct the name, or measure it on one of them.",
            )


def mixed_protocols(entries: Sequence[Entry], expected: Expected) -> Iterator[Finding]:
    """Other thresholds, limits or sizes than the rest of the table, or unsaid ones."""
    for some in _by_data(entries).values():
        usual = expected.protocol or dict(
            _most(tuple(sorted(entry.protocol.items())) for entry in some)
        )
        for entry in some:
            if unsaid := sorted(usual.keys() - entry.protocol.keys() - {"engine"}):
                case = f"It does not say {', '.join(unsaid)}, on which its numbers depend."
                like = ", ".join(f"{name}: {_as_yaml(usual[name])}" for name in unsaid)
                fix = f"Say in the board's row how it was made; the table has protocol: {{{like}}}"
                yield finding(Check.MIXED_PROTOCOLS, entry, "protocol", case, fix)
            for name, ours in sorted(entry.protocol.items()):
                theirs = usual.get(name, "not given")
                if ours != theirs and name != "engine":  # it is the row's, and agrees with torch
                    case = f"It is {_as_yaml(ours)} here and {_as_yaml(theirs)} in the table."
                    yield finding(
                        Check.MIXED_PROTOCOLS,
                        entry,
                        f"protocol.{name}",
                        case,
                        "Measure it with the table's protocol.",
                    )


def other_measure(entries: Sequence[Entry], expected: Expected) -> Iterator[Finding]:
    """Other IoU thresholds, limits or policies of the evaluator, or other images."""
    reference = {"settings": expected.settings, "policy": expected.policy}
    for some in _by_data(entries).values():
        for part, of in _MEASURES.items():
            usual = reference.get(part) or _most(of(entry) for entry in some)
            for entry in (entry for entry in some if of(entry) != usual):
                others = "the board" if reference.get(part) else "the other entries"
                case = f"It is not that of {others}."
                yield finding(
                    Check.OTHER_MEASURE,
                    entry,
                    f"report.{part}",
                    case,
                    "Measure it with zoo evaluate and its defaults.",
                )


_MEASURES: dict[str, Callable[[Entry], object]] = {
    "settings": lambda entry: entry.report.settings,
    "policy": lambda entry: entry.report.policy,
    "measured.image_ids_sha256": lambda entry: entry.report.measured.image_ids_sha256,
    "measured.images": lambda entry: entry.report.measured.images,
    "measured.boxes": lambda entry: entry.report.measured.boxes,
}


def same_numbers(entries: Sequence[Entry]) -> Iterator[Finding]:
    """The same numbers under several names, or all but a few of them: all but one of the rows are
    copies."""
    for some in _by_data(entries).values():
        numbers = _numbers(some)
        reported: set[int] = set()
        for place, first in enumerate(some):
            if place in reported or first.points <= 0:
                continue
            shared = _copies_of(numbers, place)
            for at, same, of in shared:
                other = some[at]
                if at in reported or first.name == other.name:
                    continue
                if first.engine != other.engine and _weights(first) == _weights(other):
                    continue  # one model by two engines
                reported.add(at)
                subject = "Every number is" if same == of else f"{same} of {of} numbers are"
                case = (
                    f"{subject} the same as {'that' if same == of else 'those'} of {first.name}: "
                    f"{first.points:.2f} AP."
                )
                fix = "Measure it with its own weights, or leave one of the rows out."
                yield finding(Check.SAME_NUMBERS, other, "report.numbers", case, fix)


def _weights(entry: Entry) -> str | ModelWeights:
    """The fingerprint of its weights: those that an exported file was made of are its own."""
    made_of = (entry.report.provenance or {}).get("exported_from")
    return made_of or entry.model.weights.sha256 or entry.model.weights


def same_weights(entries: Sequence[Entry]) -> Iterator[Finding]:
    """One file under several names, at one input size, by one engine."""
    for first, other in _alike(entries, _file):
        case = f"It is the file of {first.name}, {first.model.weights.sha256:.12}…"
        yield finding(
            Check.SAME_WEIGHTS,
            other,
            "model.weights.sha256",
            case,
            "Load its own weights, or leave one of the rows out.",
        )


def swapped_models(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Two models whose numbers fit each other's claims: their names or files are interchanged."""
    claims = [(entry, claim) for entry in entries if (claim := entry.claim()) is not None]
    here = [(entry, claim) for entry, claim in claims if claim.dataset == entry.data]
    for (a, ours), (b, theirs) in combinations(here, 2):
        if a.data != b.data or a.name == b.name:
            continue
        straight = [abs(a.points - ours.value), abs(b.points - theirs.value)]
        crossed = [abs(a.points - theirs.value), abs(b.points - ours.value)]
        if min(straight) > CLAIM_POINTS >= max(crossed):
            case = f"What was measured fits the claim of {a.name}, and the other way round."
            yield finding(
                Check.SWAPPED, b, "model.name", case, "Check which weights each of the two loaded."
            )


def repeated_rows(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Two rows of one name on one data set."""
    for (name, data), count in Counter((entry.name, entry.data) for entry in entries).items():
        if count > 1:
            last = next(entry for entry in entries if (entry.name, entry.data) == (name, data))
            yield finding(
                Check.TWICE,
                last,
                "model.name",
                f"There are {count} rows of that name.",
                "Rename or remove all but one.",
            )


def missing_ranks(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Without resamplings nobody can say whether a difference is real; nor with others than the
    rest of the table has."""
    for some in _by_data(entries).values():
        usual = _most(_resampling(entry) for entry in some)
        for entry in some:
            if _resampling(entry) is None:
                case = "There are none, so it has no interval and no rank."
                fix = "Measure it with zoo evaluate, which resamples by default."
                yield finding(Check.UNRANKED, entry, "report.resamplings", case, fix)
            elif usual is not None and _resampling(entry) != usual:
                case = (
                    f"Its seed or number of replicates is not that of most, {usual[0]} and "
                    f"{usual[1]}, so it has no rank."
                )
                yield finding(
                    Check.UNRANKED,
                    entry,
                    "report.resamplings",
                    case,
                    "Measure it with the same seed and resamples.",
                )


def mixed_hardware(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Latencies of different machines in one column."""
    for some in _by_data(entries).values():
        usual = usual_machine(some)
        for entry in some:
            if machine(entry) not in (None, usual):
                case = f"It was timed on {machine(entry)}, the others on {usual}."
                fix = "Time it on the same machine, or leave timing out."
                yield finding(Check.MIXED_HARDWARE, entry, "timing.hardware", case, fix)


ALONE: tuple[CheckFunction, ...] = (
    missing_provenance,
    unknown_license,
    far_from_claim,
    parameters_off,
    other_published,
    contradictory_numbers,
    changed_after_writing,
    other_provenance,
    odd_timing,
    odd_facts,
)
TOGETHER: tuple[CheckFunction, ...] = (
    same_numbers,
    same_weights,
    swapped_models,
    repeated_rows,
    missing_ranks,
    mixed_hardware,
)


def machine(entry: Entry) -> str | None:
    """Where an entry was timed, with the threads of a processor; None where it was not."""
    timing = entry.timing
    if timing is None or timing.threads is None:
        return timing.hardware if timing else None
    return f"{timing.hardware}, {pluralize(timing.threads, 'thread')}"


def usual_machine(entries: Sequence[Entry]) -> str | None:
    """Where most of them were timed; None where none was."""
    return _most([name for name in map(machine, entries) if name] or [None])


def _by_data(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.data, []).append(entry)
    return by_name


def _alike(
    entries: Sequence[Entry], key: Callable[[Entry], object]
) -> Iterator[tuple[Entry, Entry]]:
    """The first entry of each key, None aside, with each of another name on its data set that has
    the same."""
    first: dict[object, Entry] = {}
    for entry in entries:
        if (value := key(entry)) is not None and first.setdefault(
            (entry.data, value), entry
        ).name != entry.name:
            yield first[entry.data, value], entry


def _numbers(entries: Sequence[Entry]) -> NDArray[np.float64]:
    """The numbers of each entry and the first replicates of its AP, (n, k); NaN for none."""
    names = list(dict.fromkeys(name for entry in entries for name in entry.report.numbers))
    rows = np.full((len(entries), len(names) + REPLICATES), np.nan)
    for row, entry in zip(rows, entries, strict=True):
        row[: len(names)] = [entry.report.numbers.get(name) for name in names]
        resamplings = entry.report.resamplings
        drawn = resamplings.numbers.get("AP", ()) if resamplings else ()
        row[len(names) : len(names) + len(drawn)] = drawn[:REPLICATES]
    return rows


def _copies_of(numbers: NDArray[np.float64], place: int) -> list[tuple[int, int, int]]:
    """The later rows that share most of what could differ with the one at a place: where they are,
    how many numbers they share, and of how many."""
    first, others = numbers[place], numbers[place + 1 :]
    with np.errstate(over="ignore", invalid="ignore"):  # of entries that say what can't be
        apart = np.abs(others - first)
    telling = np.isfinite(apart) & ~((others == first) & ((first == 0) | (first == 1)))
    of = telling.sum(axis=1)
    same = (telling & (apart <= CLOSE)).sum(axis=1)
    copies = np.flatnonzero((of > 0) & (same >= COPIED * of))
    return [(place + 1 + at, int(same[at]), int(of[at])) for at in copies.tolist()]


def _file(entry: Entry) -> tuple[str, str, str | None] | None:
    """The weights of an entry, the size of its input and its engine, which make a row of them."""
    sha256 = entry.model.weights.sha256
    return (sha256, str(entry.model.input), entry.engine) if sha256 else None


def _as_yaml(value: Setting) -> str:
    """A setting as YAML has it."""
    return json.dumps(value).strip('"')


def _most(values: Iterable[T]) -> T:
    """The commonest, the first of equals."""
    candidates = list(values)
    return max(candidates, key=candidates.count)


def _resampling(entry: Entry) -> tuple[int, int] | None:
    """Seed and number of the replicates of AP."""
    drawn = entry.report.resamplings
    return None if drawn is None else (drawn.seed, len(drawn.numbers.get("AP", ())))
