"""Draws a pipeline as text: a row per part, a column per stride, channels in the cells, and a mark
where parts do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.contract import FeatureLevel

CUT = "✗"


@dataclass(frozen=True)
class Stage:
    """One row.

    kind:   `input`, `backbone`, `neck` or `head`.
    name:   the part's name.
    levels: the maps it returns, if it returns any and they are known.
    note:   further text at the end of the row.
    flaw:   why it does not fit to the stage above; shown on a line between the two.
    """

    kind: str
    name: str
    levels: tuple[FeatureLevel, ...] = ()
    note: str = ""
    flaw: str = ""


def draw(stages: Sequence[Stage]) -> str:
    """The table of the stages, in their order."""
    strides = sorted({level.stride for stage in stages for level in stage.levels})
    kinds = max(len(stage.kind) for stage in stages)
    names = max(len("stride"), *(len(stage.name) for stage in stages))
    lines = (
        [_line("", "stride", [str(stride) for stride in strides], "", kinds, names)]
        if strides
        else []
    )
    for stage in stages:
        channels = {level.stride: str(level.channels) for level in stage.levels}
        if stage.flaw:
            lines.append(f"{CUT:>{kinds}}  {stage.flaw}")
        cells = [channels.get(stride, "·" if channels else "") for stride in strides]
        lines.append(_line(stage.kind, stage.name, cells, stage.note, kinds, names))
    return "\n".join(lines)


def _line(kind: str, name: str, cells: Sequence[str], note: str, kinds: int, names: int) -> str:
    columns = "".join(f"{cell:>6}" for cell in cells)
    return f"{kind:<{kinds}}  {name:<{names}}{columns}  {note}".rstrip()
