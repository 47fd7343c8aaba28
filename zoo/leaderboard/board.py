"""A board: what one leaderboard compares, as a YAML file: models, data sets, the protocol, and
entries of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, structs

from zoo.evaluate.predictions.parquet import PARQUET_SUFFIX
from zoo.leaderboard.entry import RANDOM, SETTINGS, Name, Setting, Text
from zoo.leaderboard.reading import read_struct, wrong
from zoo.suggest import close_matches, join_or

if TYPE_CHECKING:
    from zoo.contract.protocol import Protocol

RUNS = 50  # images timed, unless a board says otherwise


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model to be measured, or detections of it that are already there.

    model:       a name of the catalogue, or `file:FOLDER` of a run, relative to the board's folder;
                 its card gives family, licences and claims.
    weights:     as for `zoo.load`: a tag, a place, or `random`; the card's own if it is left out.
    labels:      the classes it is loaded for, as for `zoo.load`; else the card's, or those of the
                 data set for a card that leaves them open.
    predictions: a file of detections, instead of running the model: Parquet of `zoo predict`, or a
                 COCO results list. Of several data sets, a file for each, by the data set's name;
                 the row is then in the tables of those alone.
    protocol, provenance: what such a list does not say itself: the settings it was made with, and
        where it is from.
    data:        the data sets it is measured on, by name; all of them where this is left out.
    engine:      what computes its network, as for `zoo.load`; its timing is measured with it too.
    name:        what the row is called; the model's name where it is left out, with its engine.
    note:        what a reader has to know, as in "never trained".
    """

    model: Name
    weights: Text | None = None
    labels: Text | Annotated[list[Text], Meta(min_length=1)] | None = None
    predictions: Text | dict[Name, Text] | None = None
    data: Annotated[list[Name], Meta(min_length=1)] | None = None
    protocol: dict[str, Setting] | None = None
    provenance: dict[str, Text] | None = None
    engine: Text | None = None
    name: Name | None = None
    note: Text | None = None

    @property
    def title(self) -> str:
        """The name of the row."""
        by = f" ({self.engine})" if self.engine else ""
        return self.name or f"{self.model}{by}"

    def on(self, data: Sequence[str]) -> dict[str, Row]:
        """The row as it is measured on each data set of a board that it has to do with."""
        if isinstance(self.predictions, dict):
            return {
                name: structs.replace(self, predictions=file)
                for name, file in self.predictions.items()
            }
        return {name: self for name in self.data or data}


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The models, data sets and protocol of a leaderboard.

    data:      name -> data set, as in `coco:instances.json`; relative to the board's folder. Claims
               on the same data set are compared with what is measured.
    protocol:  `uniform`, or `native` for each family's own thresholds; one board, one protocol.
    exif:      `apply` turns images upright, `ignore` takes them as they are stored, for annotations
               made on those.
    models:    names, or rows with more to say.
    registry:  registry files with models of one's own.
    entries:   entry files of others, or globs of them.
    timing:    whether to measure latency, memory and operations, or how many images are timed.
    examples:  of how many images the models disagree on most the page shows; they become a part
        of it, so mind their licence.
    resamples: bootstrap replicates.
    """

    schema: Literal[1]
    title: Name
    summary: Text | None = None
    data: Annotated[dict[str, Name], Meta(min_length=1)]
    protocol: Literal["uniform", "native"] = "uniform"
    exif: Literal["apply", "ignore"] = "apply"
    models: list[Name | Row] = []
    registry: list[Name] = []
    entries: list[Name] = []
    timing: bool | Annotated[int, Meta(ge=1, le=10_000)] = True
    examples: Annotated[int, Meta(ge=0, le=50)] = 6
    resamples: Annotated[int, Meta(ge=100, le=100_000)] = 1000

    @property
    def rows(self) -> list[Row]:
        """Every model as a row."""
        return [Row(model=model) if isinstance(model, str) else model for model in self.models]

    @property
    def settings(self) -> Protocol:
        """The protocol that its models are run by."""
        # deferred: it brings torch, which checking entries does without
        from zoo.contract.protocol import Protocol

        return replace(Protocol.named(self.protocol), exif=self.exif)

    @property
    def runs(self) -> int:
        """How many images are timed."""
        return RUNS * self.timing if isinstance(self.timing, bool) else self.timing

    @classmethod
    def read(cls, path: str | Path) -> Board:
        """Raises: DataError naming the file, the line and the field that is wrong."""
        board = read_struct(Path(path), cls, what="board")
        if not board.models and not board.entries:
            raise wrong(
                Path(path),
                "It names neither models nor entries.",
                "Add `models: [yolox_nano]`.",
                what="board",
            )
        names = [row.title for row in board.rows]
        for place, name in enumerate(names):
            if name in names[:place]:
                case = f"Field 'models[{place}]': '{name}' is there twice."
                raise wrong(
                    Path(path), case, "Give one of the two a `name` of its own.", what="board"
                )
        for place, row in enumerate(board.rows):
            for at, case, fix in _flaws(row, list(board.data)):
                raise wrong(Path(path), f"Field 'models[{place}].{at}': {case}", fix, what="board")
        return board


def _flaws(row: Row, data: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(field, case, fix) of what does not fit together in a row, or would have no effect."""
    if isinstance(row.predictions, dict) and row.data is not None:
        yield "data", "Its `predictions` already name the data sets.", "Leave it out."
    if isinstance(row.predictions, str) and len(row.on(data)) > 1:
        files = ", ".join(f"{name}: FILE" for name in row.on(data))
        yield (
            "predictions",
            f"It is one file, and there are {len(row.on(data))} data sets.",
            f"Write predictions: {{{files}}}",
        )
    if row.predictions is not None and row.weights == RANDOM:
        yield (
            "weights",
            "Nobody ran a network for `predictions`.",
            "Leave it out, or name the file they were made with.",
        )
    yield from _flaws_without_network(row)
    for at in ("protocol", "provenance"):
        if getattr(row, at) is not None and not _lists(row):
            reason = (
                "The model is run by the board's protocol"
                if row.predictions is None
                else "Parquet files say it themselves"
            )
            yield at, f"{reason}, and this would have no effect.", "Leave it out."
    yield from _unknown("data", "data set", row.data or [], data)
    yield from _unknown(
        "predictions",
        "data set",
        list(row.predictions) if isinstance(row.predictions, dict) else [],
        data,
    )
    yield from _unknown("protocol", "setting", list(row.protocol or ()), SETTINGS)


def _flaws_without_network(row: Row) -> Iterator[tuple[str, str, str]]:
    """Flaws of fields for a network that is run, where none is, or none that can be exported."""
    for at in ("labels", "engine"):
        if row.predictions is not None and getattr(row, at) is not None:
            yield at, "Nobody runs a network for `predictions`.", "Leave it out."
    if row.engine is not None and row.weights == RANDOM:
        yield "engine", "A network with random weights is not exported.", "Leave it out."


def _unknown(
    at: str, kind: str, names: Sequence[str], choices: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    for name in (name for name in names if name not in choices):
        alike = close_matches(name, choices)
        fix = f"Did you mean {join_or(alike)}?" if alike else f"There are {', '.join(choices)}."
        yield at, f"There is no {kind} '{name:.40}'.", fix


def _lists(row: Row) -> bool:
    """Whether it has results lists, which say nothing of how they were made."""
    files = (
        row.predictions.values()
        if isinstance(row.predictions, dict)
        else [row.predictions or PARQUET_SUFFIX]
    )
    return any(not file.endswith(PARQUET_SUFFIX) for file in files)
