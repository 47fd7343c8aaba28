"""Checks that catch a wrong table: each looks at all entries, and says of which entry and field what is wrong and what to do.

They are made from errors found in public leaderboards: a copy of one model's weights under another's name, two models swapped,
misspelt licences, unequal settings in one table, parameters counted in the training graph. And an entry has to agree with itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TypeVar

from zoo.errors import ZooError
from zoo.evaluate import Policy, Settings
from zoo.evaluate.agreement import Contradiction, contradictions
from zoo.evaluate.provenance import settings_of
from zoo.leaderboard.entry import PROVENANCE, UNKNOWN, Entry, Setting
from zoo.registry import catalogue
from zoo.registry.license import advice, is_identifier
from zoo.words import counted

CLAIM_POINTS = 1.0  # of AP in percent; evaluators and rounding account for less
PARAMETER_SHARE = 0.02  # frozen or folded batch norm accounts for less
DISQUALIFYING = {"mixed_protocols", "other_data", "other_measure", "other_provenance", "impossible", "changed"}
_ITEM = re.compile(r"\[[^\]]*\]")

T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """Something wrong in an entry.

    check: the function below that found it. entry, data, field: where. case: what is wrong. fix: what to do.
    """

    check: str
    entry: str
    data: str
    field: str
    case: str
    fix: str

    def __str__(self) -> str:
        return f"{self.entry} on {self.data}, {self.field}: {self.case} {self.fix}"


@dataclass(frozen=True)
class Expected:
    """What entries are held against; what is left out is what most of them have.

    protocol: the settings of the table. data: fingerprints by the data set's name. settings, policy: of the evaluator.
    """

    protocol: Mapping[str, Setting] | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    settings: Settings | None = None
    policy: Policy | None = None


Check = Callable[[Sequence[Entry]], Iterator[Finding]]


def check(entries: Sequence[Entry], *, expected: Expected | None = None) -> list[Finding]:
    """Everything that is wrong in these entries, taken together; what is wrong in the same way in several fields, once."""
    wanted = expected or Expected()
    alone = [finding for one in CHECKS for finding in one(entries)]
    together = [*other_data(entries, wanted), *mixed_protocols(entries, wanted), *other_measure(entries, wanted)]
    fields: dict[Finding, list[str]] = {}
    for one in [*together, *alone]:
        fields.setdefault(replace(one, field=""), []).append(one.field)
    return [replace(one, field=", ".join(dict.fromkeys(some))) for one, some in fields.items()]


def disqualifying(finding: Finding) -> bool:
    """Whether an entry must not stand beside the others: it was measured otherwise, or is not what was measured."""
    return finding.check in DISQUALIFYING


def missing_provenance(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Nobody can repeat the number."""
    for entry in entries:
        said = entry.report.provenance or {}
        lacking = [key for key in PROVENANCE if said.get(key, UNKNOWN) in ("", UNKNOWN)]
        if lacking:
            case = f"It does not say {', '.join(lacking)}, or says '{UNKNOWN}'."
            fix = "Say it in the board's row, under provenance and protocol; a run of zoo predict says it itself."
            yield _finding(missing_provenance, entry, "report.provenance", case, fix)


def unknown_license(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A licence that is no SPDX expression, and so means nothing to a filter or a lawyer."""
    for entry in entries:
        for what in ("code", "weights", "data"):
            name = getattr(entry.model.licenses, what)
            if name and not is_identifier(name):
                case = f"'{name:.60}' is no SPDX identifier."
                yield _finding(unknown_license, entry, f"model.licenses.{what}", case, advice(name))


def remarked(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Detections or annotations that look wrong, as corners where sizes belong; the numbers are exact all the same."""
    for entry in entries:
        for note in entry.report.measured.notes:
            yield _finding(remarked, entry, "report.measured.notes", note, "Look into the files; what is right may stay.")


def other_data(entries: Sequence[Entry], expected: Expected) -> Iterator[Finding]:
    """The same data set by name, with other annotations."""
    for name, some in _by_data(entries).items():
        usual = expected.data.get(name) or _most(entry.report.measured.sha256 for entry in some)
        for entry in some:
            found = entry.report.measured.sha256
            if found != usual:
                case = f"{name} has the sha256 {found[:12]}… here and {usual[:12]}… in the others."
                yield _finding(other_data, entry, "report.measured.sha256", case, "Measure it on the same annotations.")
    for name in (name for name in _by_data(entries) if expected.data and name not in expected.data):
        for entry in _by_data(entries)[name]:
            case = f"The board has no data set '{name:.60}'; it has {', '.join(expected.data)}."
            yield _finding(other_data, entry, "data", case, "Correct the name, or measure it on one of them.")


def mixed_protocols(entries: Sequence[Entry], expected: Expected) -> Iterator[Finding]:
    """Other thresholds, limits or sizes than the rest of the table."""
    for some in _by_data(entries).values():
        usual = expected.protocol or dict(_most(tuple(sorted(entry.protocol.items())) for entry in some))
        for entry in some:
            if usual and not entry.protocol:
                case = f"It says no setting of its protocol, and the table has {', '.join(map(str, sorted(usual)))}."
                fix = "Say in the board's row how the detections were made: protocol: {score: 0.01, …}"
                yield _finding(mixed_protocols, entry, "protocol", case, fix)
                continue
            for name in sorted(usual.keys() | entry.protocol.keys()):
                ours, theirs = entry.protocol.get(name, "not given"), usual.get(name, "not given")
                if ours != theirs:
                    case = f"It is {ours} here and {theirs} in the table."
                    yield _finding(mixed_protocols, entry, f"protocol.{name}", case, "Measure it with the table's protocol.")


def other_measure(entries: Sequence[Entry], expected: Expected) -> Iterator[Finding]:
    """Other IoU thresholds, limits or policies of the evaluator, or other pictures."""
    wanted = {"settings": expected.settings, "policy": expected.policy}
    for some in _by_data(entries).values():
        for what, of in _MEASURES.items():
            usual = wanted.get(what) or _most(of(entry) for entry in some)
            for entry in (entry for entry in some if of(entry) != usual):
                case = f"It is not that of {'the board' if wanted.get(what) else 'the other entries'}."
                yield _finding(other_measure, entry, f"report.{what}", case, "Measure it with zoo evaluate and its defaults.")


_MEASURES: dict[str, Callable[[Entry], object]] = {
    "settings": lambda entry: entry.report.settings,
    "policy": lambda entry: entry.report.policy,
    "measured.pictures": lambda entry: entry.report.measured.pictures,
    "measured.images": lambda entry: entry.report.measured.images,
    "measured.boxes": lambda entry: entry.report.measured.boxes,
}


def same_numbers(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Equal to the last digit under two names: one row is a copy of the other."""
    for a, b in _pairs(entries):
        if a.report.numbers == b.report.numbers and (a.report.numbers.get("AP") or 0) > 0:
            case = f"Every number is the same, to the last digit, as that of {a.name}: {_points(a):.2f} AP."
            yield _finding(same_numbers, b, "report.numbers", case, "One of the two ran the other's weights: measure it again.")


def same_weights(entries: Sequence[Entry]) -> Iterator[Finding]:
    """One file under two names, at one input size."""
    for a, b in _pairs(entries):
        sha256 = a.model.weights.sha256
        if sha256 and sha256 == b.model.weights.sha256 and a.model.input == b.model.input:
            case = f"It is the file of {a.name}, {sha256[:12]}…"
            yield _finding(same_weights, b, "model.weights.sha256", case, "Load its own weights, or leave one of the rows out.")


def far_from_claim(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Measured further from what is published than evaluators differ."""
    for entry in entries:
        claim, gap = entry.claim(), claim_gap(entry)
        if claim is not None and gap is not None and abs(gap) > CLAIM_POINTS:
            case = f"{_points(entry):.1f} AP was measured and {claim.value:g} is claimed, a difference of {gap:+.1f}."
            fix = "Check weights, preprocessing and the claim; claims are in percent."
            yield _finding(far_from_claim, entry, "report.numbers.AP", case, fix)


def swapped(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Two models whose numbers fit each other's claims: their names or files are interchanged."""
    for a, b in _pairs(entries):
        ours, theirs = a.claim(), b.claim()
        if ours is None or theirs is None or {ours.dataset, theirs.dataset} != {a.data}:
            continue
        straight = [abs(_points(a) - ours.value), abs(_points(b) - theirs.value)]
        crossed = [abs(_points(a) - theirs.value), abs(_points(b) - ours.value)]
        if min(straight) > CLAIM_POINTS >= max(crossed):
            case = f"What was measured fits the claim of {a.name}, and the other way round."
            yield _finding(swapped, b, "model.name", case, "Check which weights each of the two loaded.")


def parameters_off(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Another count than published: the training graph, or another model."""
    for entry in entries:
        count, published = entry.model.parameters, entry.model.published.parameters or _on_card(entry.model.name)
        if count is not None and published and abs(count / published - 1) > PARAMETER_SHARE:
            case = f"{count:,} were counted and {published:,} are published, {count / published - 1:+.0%}."
            fix = "Count those of the network that runs, without heads that only train; or correct the card."
            yield _finding(parameters_off, entry, "model.parameters", case, fix)


def impossible(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Numbers that no evaluator gives, because they contradict each other."""
    for entry in entries:
        alike: dict[str, list[Contradiction]] = {}
        for one in contradictions(entry.report):
            alike.setdefault(_ITEM.sub("", one.at), []).append(one)
        for first, *more in alike.values():
            case = f"{first.case} So do {len(more)} more like it." if more else first.case
            yield _finding(impossible, entry, f"report.{first.at}", case, "Take the numbers as zoo evaluate writes them.")


def changed(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A file that is not as it was written."""
    for entry in entries:
        if entry.seal is not None and entry.seal != entry.sealed():
            case = "It was changed after it was written: its seal is not that of its content."
            yield _finding(changed, entry, "seal", case, "Take the file as it was written, or write it with Entry.write.")


def other_provenance(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A report of something else than the entry says: other annotations, settings or weights."""
    for entry in entries:
        facts, weights = entry.report.provenance or {}, entry.model.weights
        settings = {name: value for name, value in entry.protocol.items() if value is not None}
        pairs = {
            "data_sha256": ("report.measured.sha256", entry.report.measured.sha256),
            "protocol_settings": ("protocol", settings),
            "weights_sha256": ("model.weights.sha256", weights.sha256),
            "weights_source": ("model.weights.source", weights.source),
        }
        for key, (at, ours) in pairs.items():
            theirs = _settings(facts) if key == "protocol_settings" else facts.get(key, UNKNOWN)
            if theirs not in (None, UNKNOWN) and ours not in (None, UNKNOWN) and theirs != ours:
                case = f"It is {ours!s:.80} here and {theirs!s:.80} in report.provenance.{key}."
                yield _finding(other_provenance, entry, at, case, "Measure it again with zoo evaluate, which writes both.")


def odd_timing(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Times that no clock gives."""
    for entry in entries:
        timing = entry.timing
        if timing is not None and timing.p95_ms < timing.median_ms:
            case = f"It is {timing.p95_ms:g} ms, and the median {timing.median_ms:g} ms."
            yield _finding(odd_timing, entry, "timing.p95_ms", case, "Time it again with zoo leaderboard build.")
        if timing is not None and not timing.runs:
            yield _finding(odd_timing, entry, "timing.runs", "Nothing was timed.", "Time it, or leave timing out.")


def twice(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Two rows of one name on one data set."""
    for (name, data), count in Counter((entry.name, entry.data) for entry in entries).items():
        if count > 1:
            last = next(entry for entry in entries if (entry.name, entry.data) == (name, data))
            yield _finding(twice, last, "model.name", f"There are {count} rows of that name.", "Rename or remove all but one.")


def unranked(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Without resamplings nobody can say whether a difference is real; nor with others than the rest of the table has."""
    for some in _by_data(entries).values():
        usual = _most(_drawn(entry) for entry in some)
        for entry in some:
            if _drawn(entry) is None:
                case = "There are none, so it has no interval and no rank."
                fix = "Measure it with zoo evaluate, which resamples by default."
                yield _finding(unranked, entry, "report.resamplings", case, fix)
            elif usual is not None and _drawn(entry) != usual:
                case = f"Its seed or number of replicates is not that of most, {usual[0]} and {usual[1]}, so it has no rank."
                yield _finding(unranked, entry, "report.resamplings", case, "Measure it with the same seed and resamples.")


def mixed_hardware(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Latencies of different machines in one column."""
    for some in _by_data(entries).values():
        usual = usual_machine(some)
        for entry in some:
            if machine(entry) not in (None, usual):
                case = f"It was timed on {machine(entry)}, the others on {usual}."
                fix = "Time it on the same machine, or leave timing out."
                yield _finding(mixed_hardware, entry, "timing.hardware", case, fix)


CHECKS: tuple[Check, ...] = (
    missing_provenance,
    remarked,
    unknown_license,
    same_numbers,
    same_weights,
    far_from_claim,
    swapped,
    parameters_off,
    impossible,
    changed,
    other_provenance,
    odd_timing,
    twice,
    unranked,
    mixed_hardware,
)


def claim_gap(entry: Entry) -> float | None:
    """Measured less claimed AP, in percent; None where the claim is of another data set, or there is none."""
    claim, measured = entry.claim(), entry.report.numbers.get("AP")
    if claim is None or measured is None or claim.dataset != entry.data:
        return None
    return 100 * measured - claim.value


def machine(entry: Entry) -> str | None:
    """Where an entry was timed, with the threads of a processor; None where it was not."""
    timing = entry.timing
    if timing is None or timing.threads is None:
        return timing.hardware if timing else None
    return f"{timing.hardware}, {counted(timing.threads, 'thread')}"


def usual_machine(entries: Sequence[Entry]) -> str | None:
    """Where most of them were timed; None where none was."""
    return _most([one for one in map(machine, entries) if one] or [None])


def _finding(of: Callable[..., Iterator[Finding]], entry: Entry, at: str, case: str, fix: str) -> Finding:
    return Finding(of.__name__, entry.name, entry.data, at, case, fix)


def _points(entry: Entry) -> float:
    return 100 * (entry.report.numbers.get("AP") or 0.0)


def _by_data(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    made: dict[str, list[Entry]] = {}
    for entry in entries:
        made.setdefault(entry.data, []).append(entry)
    return made


def _pairs(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Two entries of different names on one data set."""
    yield from ((a, b) for some in _by_data(entries).values() for a, b in combinations(some, 2) if a.name != b.name)


def _most(values: Iterable[T]) -> T:
    """The commonest, the first of equals."""
    known = list(values)
    return max(known, key=known.count)


def _drawn(entry: Entry) -> tuple[int, int] | None:
    """Seed and number of the replicates of AP."""
    drawn = entry.report.resamplings
    return None if drawn is None else (drawn.seed, len(drawn.numbers.get("AP", ())))


def _settings(facts: Mapping[str, str]) -> dict[str, Setting] | None:
    """The settings that provenance holds, without open ones; None where they are not known."""
    made = settings_of(facts)
    return None if made is None else {name: value for name, value in made.items() if value is not None}


def _on_card(name: str) -> int | None:
    """The parameters on the card of that model, where the catalogue has one."""
    try:
        return catalogue().resolve(name).entry.card.parameters
    except ZooError:
        return None
