"""A table: the rows of one data set, ranked, with everything a page shows of them; the same in
JSON, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoo.leaderboard.checks import machine, usual_machine
from zoo.leaderboard.disagreement import ShownImage
from zoo.leaderboard.entry import RANDOM, Entry, file_name
from zoo.leaderboard.finding import Finding
from zoo.leaderboard.ranks import Pairs, rank
from zoo.registry.card import Claim
from zoo.registry.license import is_permissive

NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl")


@dataclass(frozen=True)
class Line:
    """One row. ranks: the first and the last place it may have; none where it was never trained or
    can't be compared.

    claim, gap: published AP in percent, and measured less claimed.
    elsewhere: where it was timed, if that is other hardware than the table's. file: its entry,
        next to the page.
    """

    entry: Entry
    ranks: tuple[int, ...]
    claim: Claim | None
    gap: float | None
    permissive: bool
    findings: tuple[Finding, ...]
    elsewhere: str | None
    file: str


@dataclass(frozen=True)
class Table:
    """The rows of one data set and one protocol, best first.

    sha256: fingerprint of its annotations. hardware: where most latencies were measured.
    pairs: the comparisons of its lines, by their places. examples: images where the models disagree
        most.
    """

    data: str
    sha256: str
    images: int
    boxes: int
    lines: tuple[Line, ...]
    hardware: str | None
    pairs: Pairs
    examples: tuple[ShownImage, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A row that could not be measured, and why. data: None where that has nothing to do with
    it."""

    name: str
    data: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.name}{f' on {self.data}' if self.data else ''}: {self.why}"


@dataclass(frozen=True)
class Leaderboard:
    """Everything a board came to. left_out: entries that are in no table, because of what the
    checks found."""

    title: str
    summary: str | None
    protocol: str
    settings: Mapping[str, Any]
    made: str
    version: str
    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]
    failures: tuple[Failure, ...]


def table_of(
    data: str,
    entries: Sequence[Entry],
    findings: Sequence[Finding],
    *,
    examples: Sequence[ShownImage] = (),
) -> Table:
    """The table of entries that were measured alike, at least one."""
    best_first = sorted(entries, key=lambda entry: (-_ap(entry), entry.name))
    trained = [
        place for place, entry in enumerate(best_first) if entry.model.weights.source != RANDOM
    ]
    ranking = rank([best_first[place].report for place in trained])
    ranks = dict(zip(trained, ranking.ranks, strict=True))
    hardware = usual_machine(best_first)
    compared = tuple(trained[at] for at in ranking.pairs.models)
    remarks: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.data == data:
            remarks.setdefault(finding.entry, []).append(finding)
    lines = [
        Line(
            entry=entry,
            ranks=ranks.get(place, ()),
            claim=entry.claim(),
            gap=entry.gap(),
            permissive=_permissive(entry),
            findings=tuple(remarks.get(entry.name, ())),
            elsewhere=None if machine(entry) == hardware else machine(entry),
            file=f"entries/{file_name(entry.name, data)}",
        )
        for place, entry in enumerate(best_first)
    ]
    measured = best_first[0].report.measured
    return Table(
        data=data,
        sha256=measured.sha256,
        images=measured.images,
        boxes=measured.boxes,
        lines=tuple(lines),
        hardware=hardware,
        pairs=replace(ranking.pairs, models=compared),
        examples=tuple(examples),
    )


def _ap(entry: Entry) -> float:
    value = entry.report.numbers.get("AP")
    return -1.0 if value is None else value


def _permissive(entry: Entry) -> bool:
    """Whether the licences of code and weights are both known and permissive."""
    both = entry.model.licenses.code, entry.model.licenses.weights
    return all(name is not None and is_permissive(name) for name in both)
