"""Matches the classes of a model and a data set by name; unmatched classes are reported, never
silently dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from zoo.labels.space import LabelSpace
from zoo.text import join_first, pluralize

_IGNORED = str.maketrans("", "", " \t-_")


@dataclass(frozen=True)
class LabelMatch:
    """Which classes of two label spaces are the same.

    model, data: the two spaces.
    pairs:       (label in `model`, label in `data`) of every class that both have, in model order;
                 each label at most once.
    """

    model: LabelSpace
    data: LabelSpace
    pairs: tuple[tuple[int, int], ...]

    @cached_property
    def data_label(self) -> dict[int, int]:
        """Label in the model's space to label in the data set's."""
        return dict(self.pairs)

    @cached_property
    def model_only(self) -> tuple[str, ...]:
        """Classes that the data set has no boxes for."""
        return tuple(
            name for label, name in enumerate(self.model.names) if label not in self.data_label
        )

    @cached_property
    def data_only(self) -> tuple[str, ...]:
        """Classes that the model can't find."""
        met = set(self.data_label.values())
        return tuple(name for label, name in enumerate(self.data.names) if label not in met)

    @cached_property
    def renamed(self) -> tuple[tuple[str, str], ...]:
        """(model's name, data set's name) of the classes that go by a synonym; mere spelling
        (`Dog`, `dog`) is not listed."""
        both = ((self.model.names[ours], self.data.names[theirs]) for ours, theirs in self.pairs)
        return tuple(
            (ours, theirs) for ours, theirs in both if _normalise(ours) != _normalise(theirs)
        )

    @property
    def complete(self) -> bool:
        """Whether the model knows every class of the data set."""
        return not self.data_only

    def __str__(self) -> str:
        theirs = f"{pluralize(len(self.data), 'class', 'classes')} of the data ({self.data.title})"
        lines = [f"The model ({self.model.title}) knows {len(self.pairs)} of the {theirs}."]
        if self.renamed:
            lines.append(
                f"Same class, other name: "
                f"{', '.join(f'{ours} = {theirs}' for ours, theirs in self.renamed)}."
            )
        if self.data_only:
            lines.append(f"Only in the data: {', '.join(self.data_only)}.")
        if self.model_only:
            lines.append(f"Only in the model: {join_first(self.model_only, 10)}.")
        return "\n".join(lines)


def match_labels(model: LabelSpace, data: LabelSpace) -> LabelMatch:
    """Pairs classes of the same name; then, of those left over, the ones that differ in spelling or
    by a declared synonym.

    Spelling is case, blanks, hyphens and underscores; `data/synonyms.txt` declares the rest. Two
    left-over classes of one space that would then be the same stay unpaired: which of them is meant
    is unknown.
    """
    pairs = {
        label: data.label_of_name[name]
        for label, name in enumerate(model.names)
        if name in data.label_of_name
    }
    met = set(pairs.values())
    ours = _by_meaning(model, skip=set(pairs))
    theirs = _by_meaning(data, skip=met)
    pairs |= {ours[key]: theirs[key] for key in ours.keys() & theirs.keys()}
    return LabelMatch(model, data, tuple(sorted(pairs.items())))


def _by_meaning(label_space: LabelSpace, *, skip: set[int]) -> dict[str, int]:
    """Meaning of each left-over name -> its label; meanings that occur twice are left out."""
    keys = {
        label: _meaning(name) for label, name in enumerate(label_space.names) if label not in skip
    }
    times = Counter(keys.values())
    return {key: label for label, key in keys.items() if times[key] == 1}


def _normalise(name: str) -> str:
    return name.casefold().translate(_IGNORED)


def _meaning(name: str) -> str:
    return _synonyms().get(_normalise(name), _normalise(name))


@cache
def _synonyms() -> dict[str, str]:
    """Every declared spelling -> the first one of its line."""
    text = (Path(__file__).parent / "data" / "synonyms.txt").read_text(encoding="utf-8")
    lines = (_normalise(line).split("|") for line in text.splitlines() if not line.startswith("#"))
    return {name: line[0] for line in lines for name in line}
