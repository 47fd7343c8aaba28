"""Checks of one entry by itself: what it lacks, what can't be, and where it contradicts itself, its
card or what is published."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from zoo.errors import ZooError
from zoo.evaluate.diagnostics.consistency import contradictions
from zoo.evaluate.diagnostics.contradiction import Contradiction
from zoo.evaluate.predictions.provenance import settings_of
from zoo.leaderboard.entry import PROVENANCE, RANDOM, UNKNOWN, Entry, Setting, Timing
from zoo.leaderboard.finding import Check, Finding, finding
from zoo.registry import catalogue
from zoo.registry.card import Card
from zoo.registry.license import advice, is_identifier
from zoo.text import pluralize

CLAIM_POINTS = 1.0  # of AP in percent; evaluators and rounding account for less
PARAMETER_SHARE = 0.02  # frozen or folded batch norm accounts for less
FASTEST = 1000.0  # GFLOPs a millisecond: 1e15 operations a second, for one image at a time
FASTEST_THREAD = {
    "float32": 1.0,
    "other": 4.0,
}  # the same of one thread of a processor; counted, so fast convolutions look faster
SLOWEST = 100  # times the median, the 95th percentile of a machine that did something else as well
OTHER_SIZE = 0.2  # share of parameters by which another head accounts for less
LEAST_MB = 50  # of a process with torch in it
_ITEM = re.compile(r"\[[^\]]*\]")


def missing_provenance(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Nobody can repeat the number."""
    for entry in entries:
        facts = entry.report.provenance or {}
        lacking = [key for key in PROVENANCE if facts.get(key, UNKNOWN) in ("", UNKNOWN)]
        if lacking:
            case = f"It does not say {', '.join(lacking)}, or says '{UNKNOWN}'."
            fix = (
                "Say it in the board's row, under provenance and protocol; a run of zoo predict "
                "says it itself."
            )
            yield finding(Check.MISSING_PROVENANCE, entry, "report.provenance", case, fix)
        weights = entry.model.weights
        if (
            weights.sha256 is None
            and weights.source not in (RANDOM, UNKNOWN)
            and not facts.get("state_sha256")
        ):
            case = (
                "Its weights have no sha256, so nobody can tell whether a file is the one that "
                "was measured."
            )
            fix = (
                "Name the file in the board's row, as weights: file:PATH, or give its sha256: "
                "sha256sum PATH"
            )
            yield finding(Check.MISSING_PROVENANCE, entry, "model.weights.sha256", case, fix)


def unknown_license(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A licence that is not an SPDX expression, and so means nothing to a filter or a lawyer."""
    for entry in entries:
        for part in ("code", "weights", "data"):
            name = getattr(entry.model.licenses, part)
            if name is not None and not is_identifier(name):
                case = (
                    f"'{name:.60}' is not an SPDX identifier." if name.strip() else "It is empty."
                )
                fix = advice(name) if name.strip() else "Write null where it is not known."
                yield finding(Check.UNKNOWN_LICENSE, entry, f"model.licenses.{part}", case, fix)


def noted_by_evaluate(
    entries: Sequence[Entry], data_notes: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Iterator[Finding]:
    """Detections or annotations that look wrong, as corners where sizes belong; the numbers are
    exact all the same. data_notes: notes of the data sets by name, which don't count."""
    fix = "Look into the files; what is right may stay."
    for entry in entries:
        for note in entry.report.measured.notes:
            if note not in data_notes.get(entry.data, ()):
                yield finding(Check.REMARKED, entry, "report.measured.notes", note, fix)


def far_from_claim(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Measured further from what is published than evaluators differ."""
    for entry in entries:
        claim, gap = entry.claim(), entry.gap()
        if claim is not None and gap is not None and abs(gap) > CLAIM_POINTS:
            case = (
                f"{entry.points:.1f} AP was measured and {claim.value:g} is claimed, a difference "
                f"of {gap:+.1f}."
            )
            fix = "Check weights, preprocessing and the claim; claims are in percent."
            yield finding(Check.FAR_FROM_CLAIM, entry, "report.numbers.AP", case, fix)


def parameters_off(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Another count than published: the training graph, or another model."""
    for entry in entries:
        card = _card(entry.model.name)
        on_card = card.parameters if card else None
        count, published = entry.model.parameters, on_card or entry.model.published.parameters
        if count is not None and published and abs(count / published - 1) > PARAMETER_SHARE:
            case = (
                f"{count:,} were counted and {published:,} are published, "
                f"{count / published - 1:+.0%}."
            )
            fix = (
                "Count those of the network that runs, without heads that only train; or correct "
                "the card."
            )
            yield finding(Check.PARAMETERS_OFF, entry, "model.parameters", case, fix)


def other_published(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Claims of an entry that the model's card contradicts."""
    fix = "Leave it out, or correct the card, with the place where it is published."
    for entry in entries:
        if (card := _card(entry.model.name)) is None:
            continue
        ours, theirs = entry.model.published.parameters, card.parameters
        if ours is not None and theirs is not None and ours != theirs:
            case = f"It is {ours:,} here and {theirs:,} on the card of {entry.name}."
            yield finding(Check.OTHER_PUBLISHED, entry, "model.published.parameters", case, fix)
        published = {
            (claim.dataset, claim.metric): claim.value
            for weights in card.weights.values()
            for claim in weights.claims
        }
        several = len(card.weights) > 1
        for number, claim in enumerate(entry.model.published.claims):
            value = published.get((claim.dataset, claim.metric))
            if value is not None and value != claim.value and not several:
                case = (
                    f"{claim.metric} on {claim.dataset} is {claim.value:g} here and {value:g} on "
                    f"the card of {entry.name}."
                )
                yield finding(
                    Check.OTHER_PUBLISHED, entry, f"model.published.claims[{number}]", case, fix
                )


def contradictory_numbers(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Numbers that no evaluator gives, because they contradict each other."""
    for entry in entries:
        alike: dict[str, list[Contradiction]] = {}
        for contradiction in contradictions(entry.report):
            alike.setdefault(_ITEM.sub("", contradiction.at), []).append(contradiction)
        for first, *more in alike.values():
            case = f"{first.case} So do {len(more)} more like it." if more else first.case
            yield finding(
                Check.IMPOSSIBLE,
                entry,
                f"report.{first.at}",
                case,
                "Take the numbers as zoo evaluate writes them.",
            )


def changed_after_writing(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A file that is not as it was written."""
    for entry in entries:
        if entry.seal is not None and entry.seal != entry.computed_seal():
            case = "It was changed after it was written: its seal is not that of its content."
            yield finding(
                Check.CHANGED,
                entry,
                "seal",
                case,
                "Take the file as it was written, or write it with Entry.write.",
            )


def other_provenance(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A report of something else than the entry says: other settings, weights, data or another
    model."""
    again = "Measure it again with zoo evaluate, which writes both."
    for entry in entries:
        for at, case in (*_other_data(entry), *_other_model(entry)):
            yield finding(Check.OTHER_PROVENANCE, entry, f"report.provenance.{at}", case, again)
        facts, weights = entry.report.provenance or {}, entry.model.weights
        settings = {name: value for name, value in entry.protocol.items() if value is not None}
        pairs = {
            "protocol_settings": ("protocol", settings),
            "weights_sha256": ("model.weights.sha256", weights.sha256),
            "weights_source": ("model.weights.source", weights.source),
        }
        for key, (at, ours) in pairs.items():
            theirs = _settings(facts) if key == "protocol_settings" else facts.get(key, UNKNOWN)
            if theirs not in (None, UNKNOWN) and ours not in (None, UNKNOWN) and theirs != ours:
                case = f"It is {ours!s:.80} here and {theirs!s:.80} in report.provenance.{key}."
                yield finding(Check.OTHER_PROVENANCE, entry, at, case, again)


def _other_data(entry: Entry) -> Iterator[tuple[str, str]]:
    """A data set in the provenance that the report was not measured on."""
    theirs, ours = (entry.report.provenance or {}).get("data", UNKNOWN), entry.report.measured.data
    if theirs not in ("", UNKNOWN, ours, entry.data):
        yield "data", f"It is '{theirs:.60}', and the report was measured on '{ours:.60}'."


def _other_model(entry: Entry) -> Iterator[tuple[str, str]]:
    """A model in the provenance that is another than the entry's, as far as their cards tell."""
    theirs = (entry.report.provenance or {}).get("model", UNKNOWN)
    measured, named = _card(theirs.partition("[")[0]), _card(entry.name.partition("[")[0])
    if measured is None or named == measured:
        return
    if named is not None:
        yield "model", f"It is '{theirs:.60}', and the entry is of '{entry.name:.60}'."
    elif entry.model.family and measured.family and entry.model.family != measured.family:
        yield (
            "model",
            f"It is '{theirs:.60}', of the family {measured.family}, and the entry is of "
            f"{entry.model.family:.60}.",
        )
    elif _far(entry.model.parameters, measured.parameters):
        ours, counts = entry.model.parameters, measured.parameters
        yield (
            "model",
            f"It is '{theirs:.60}', which has {counts:,} parameters, and the entry's model has "
            f"{ours:,}.",
        )


def _far(ours: int | None, theirs: int | None) -> bool:
    return bool(ours and theirs and abs(ours / theirs - 1) > OTHER_SIZE)


def odd_timing(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Times that no clock gives, work that no machine does in that time, and networks that do less
    than they hold."""
    for entry in entries:
        if entry.timing is not None:
            half = entry.protocol.get("precision", "float32") != "float32"
            for at, case in _odd(entry.timing, entry.model.parameters, half=half):
                yield finding(
                    Check.ODD_TIMING,
                    entry,
                    f"timing.{at}",
                    case,
                    "Time it with zoo leaderboard build, or leave timing out.",
                )


def _odd(timing: Timing, parameters: int | None, *, half: bool) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it); `half` of a network in half precision."""
    most = timing.threads and timing.threads * FASTEST_THREAD["other" if half else "float32"]
    teraflops = timing.gflops / timing.median_ms if timing.gflops is not None else 0.0
    if not timing.runs:
        yield "runs", "Nothing was timed."
    if timing.p95_ms < timing.median_ms:
        yield "p95_ms", f"It is {timing.p95_ms:g} ms, and the median {timing.median_ms:g} ms."
    if timing.p95_ms > SLOWEST * timing.median_ms:
        yield (
            "p95_ms",
            f"It is {timing.p95_ms / timing.median_ms:,.0f} times the median: something else ran "
            f"as well.",
        )
    if teraflops > FASTEST:
        yield (
            "median_ms",
            f"{timing.gflops:g} GFLOPs in {timing.median_ms:g} ms are more than a petaflop a "
            f"second.",
        )
    elif most and teraflops > most:
        speed = (
            f"{timing.gflops:g} GFLOPs in {timing.median_ms:g} ms are {teraflops:,.1f} teraflops "
            f"a second"
        )
        yield (
            "median_ms",
            f"{speed}, more than {pluralize(timing.threads or 0, 'thread')} of a processor can do.",
        )
    if timing.gflops is not None and parameters and 1e9 * timing.gflops < parameters:
        yield (
            "gflops",
            f"{timing.gflops:g} GFLOPs are less than one operation for each of {parameters:,} "
            f"parameters.",
        )
    if timing.threads is not None and timing.peak_mb is not None and timing.peak_mb < LEAST_MB:
        yield "peak_mb", f"It is {timing.peak_mb:g} MB, and torch alone takes more than {LEAST_MB}."


def odd_facts(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Files too small for their network, and times that are none or have not come yet."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for entry in entries:
        size, count = entry.model.weights.bytes, entry.model.parameters
        if size is not None and count and 8 * size < count:
            case = (
                f"{pluralize(size, 'byte')} {'is' if size == 1 else 'are'} less than a bit for "
                f"each of {count:,} parameters."
            )
            yield finding(
                Check.ODD_FACTS,
                entry,
                "model.weights.bytes",
                case,
                "Give the size of the file that was loaded.",
            )
        finished = (entry.report.provenance or {}).get("finished", UNKNOWN)
        when = _when(finished)
        if finished not in ("", UNKNOWN) and (when is None or when > tomorrow):
            case = f"'{finished:.40}' {'is not a time' if when is None else 'is in the future'}."
            fix = "Write when it was measured, as in 2026-01-31T12:00:00+00:00."
            yield finding(Check.ODD_FACTS, entry, "report.provenance.finished", case, fix)


def _when(text: str) -> datetime | None:
    """The time that a text is; None where it is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _settings(facts: Mapping[str, str]) -> dict[str, Setting] | None:
    """The settings that provenance holds, without open ones; None where they are not known."""
    settings = settings_of(facts)
    return (
        None
        if settings is None
        else {name: value for name, value in settings.items() if value is not None}
    )


def _card(name: str) -> Card | None:
    """The card of that model, where the catalogue has one."""
    try:
        return catalogue().resolve(name).entry.card
    except ZooError:
        return None
