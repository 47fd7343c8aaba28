"""A pipeline as text: a row a part, a column a stride, channels where they meet, and the seam where
parts do not fit."""

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
    levels: the maps it returns, where it returns any and they are known.
    note:   what else there is to say, at the end of the row.
    flaw:   why it does not fit to the stage above, which is pointed at.
    """

    kind: str
    name: str
    levels: tuple[FeatureLevel, ...] = ()
    note: str = ""
    flaw: str = ""


def draw(stages: Sequence[Stage]) -> str:
    """The table of the stages, pixels first, boxes last."""
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
