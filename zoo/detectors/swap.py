"""What a detector that was loaded for other classes has from its weights, and what is new in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.labels import LabelSpace
from zoo.labels.matching import LabelMatch
from zoo.text import is_are, pluralize

SHOWN = 10  # names listed before "and 17 more"


@dataclass(frozen=True)
class NewRows:
    """One tensor of the new head.

    tensor: its name in the state dict.
    shape:  its shape.
    new:    how many of its rows start fresh; the others are from the weights.
    """

    tensor: str
    shape: tuple[int, ...]
    new: int


@dataclass(frozen=True)
class HeadTransfer:
    """A head for other classes than the weights were trained for; `print` it.

    meeting: which classes of the weights (`model`) are which of the new ones (`data`), by name.
    tensors: every tensor that has rows for classes.
    kept:    how many other tensors there are; they are those of the weights.
    """

    meeting: LabelMatch
    tensors: tuple[NewRows, ...]
    kept: int

    @property
    def carried(self) -> dict[str, str]:
        """New class -> the class of the weights whose rows it has."""
        old, new = self.meeting.model.names, self.meeting.data.names
        met = {theirs: ours for ours, theirs in self.meeting.pairs} if self.carries else {}
        return {new[label]: old[met[label]] for label in range(len(new)) if label in met}

    @property
    def carries(self) -> bool:
        """Whether rows were carried over at all: not in a family that does not say which rows are
        whose."""
        return any(one.new < one.shape[0] for one in self.tensors)

    @property
    def new_classes(self) -> tuple[str, ...]:
        """Classes that start as in a new network and have to be trained."""
        carried = self.carried
        return tuple(name for name in self.meeting.data.names if name not in carried)

    @property
    def new_tensors(self) -> tuple[NewRows, ...]:
        """Tensors with at least one new row."""
        return tuple(one for one in self.tensors if one.new)

    def __str__(self) -> str:
        carried = self.carried
        shown = [
            name if name == before else f"{name} (there {before})"
            for name, before in carried.items()
        ]
        others = self.kept + len(self.tensors) - len(self.new_tensors)
        fresh = [(one, pluralize(one.shape[0], "row")) for one in self.new_tensors]
        lines = [
            f"A head for {_classes(self.meeting.data)} on weights for "
            f"{_classes(self.meeting.model)}.",
            f"Carried over: {some(shown)}.",
            f"New, to be trained: {some(self.new_classes)}.",
            *(
                f"  {one.tensor} {one.shape}: {one.new} of {rows} {is_are(one.new)} new"
                for one, rows in fresh
            ),
            f"The other {pluralize(others, 'tensor')} {is_are(others)} from the weights.",
        ]
        return "\n".join(lines)


def _classes(label_space: LabelSpace) -> str:
    return f"{pluralize(len(label_space), 'class', 'classes')} ({label_space.title})"


def some(names: Sequence[str]) -> str:
    """The first of the names, and how many more there are."""
    rest = len(names) - SHOWN
    return (", ".join(names[:SHOWN]) or "none") + (f" and {rest} more" if rest > 0 else "")
