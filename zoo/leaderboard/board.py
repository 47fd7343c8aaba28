"""A board: what one leaderboard compares, as a YAML file: models, data sets, the protocol, and entries of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from zoo.leaderboard.entry import Name, Setting, Text
from zoo.leaderboard.reading import read_struct, wrong


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model to be measured, or detections of it that are already there.

    model:       a name of the catalogue; its card gives family, licences and claims.
    weights:     as for `zoo.load`: a tag, a place, or `random`; the card's own where it is left out.
    predictions: a file of detections, instead of running the model: Parquet of `zoo predict`, or a COCO results list.
    protocol, provenance: what such a list does not say itself: the settings it was made with, and where it is from.
    name:        what the row is called; the model's name where it is left out.
    note:        what a reader has to know, as in "never trained".
    """

    model: Name
    weights: Text | None = None
    predictions: Text | None = None
    protocol: dict[str, Setting] | None = None
    provenance: dict[str, Text] | None = None
    name: Name | None = None
    note: Text | None = None

    @property
    def shown(self) -> str:
        """What the row is called."""
        return self.name or self.model


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is compared.

    data:      name -> data set, as in `coco:instances.json`; relative to the board's folder. Claims that name the same data set
               are compared with what is measured.
    protocol:  `uniform`, or `native` for each family's own thresholds; one board, one protocol.
    models:    names, or rows with more to say.
    registry:  registry files with models of one's own.
    entries:   entry files of others, or globs of them.
    timing:    whether to measure latency, memory and operations.
    pictures:  of how many pictures the models disagree on most the page shows; they become a part of it, so mind their licence.
    resamples: bootstrap replicates.
    """

    schema: Literal[1]
    title: Name
    summary: Text | None = None
    data: Annotated[dict[str, Name], Meta(min_length=1)]
    protocol: Literal["uniform", "native"] = "uniform"
    models: list[Name | Row] = []
    registry: list[Name] = []
    entries: list[Name] = []
    timing: bool = True
    pictures: Annotated[int, Meta(ge=0, le=50)] = 6
    resamples: Annotated[int, Meta(ge=100, le=100_000)] = 1000

    @property
    def rows(self) -> list[Row]:
        """Every model as a row."""
        return [Row(model=one) if isinstance(one, str) else one for one in self.models]

    @classmethod
    def read(cls, path: str | Path) -> Board:
        """Raises: DataError naming the file, the line and the field that is wrong."""
        made = read_struct(Path(path), cls, what="board")
        if not made.models and not made.entries:
            raise wrong(Path(path), "It names neither models nor entries.", "Add `models: [yolox_nano]`.", what="board")
        names = [row.shown for row in made.rows]
        for place, name in enumerate(names):
            if name in names[:place]:
                case = f"Field 'models[{place}]': '{name}' is there twice."
                raise wrong(Path(path), case, "Give one of the two a `name` of its own.", what="board")
        return made
