"""A label space: what a model's classes are called, and what data sets and networks number them.

Public labels are contiguous, `0..n-1`, everywhere in the zoo. The ids a data set uses (COCO's 1..90
with holes) and the channels a network has (torchvision's 91 with background first) are declared
once, so that nobody adds or subtracts one elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from reprlib import repr as short
from unicodedata import normalize

from zoo.errors import LabelError
from zoo.suggest import close_matches, join_or
from zoo.text import join_first, pluralize, type_name

CUSTOM = "custom"  # the name of every list of one's own
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class LabelSpace:
    """Class names in label order, and their ids and channels.

    name:     as in a card: `coco80`, or `custom` for a list of class names.
    names:    class names; the label is the position. Blanks and line breaks at their ends go, and
              those within become one blank. An accented letter becomes one character (Unicode's
              NFC), so that names meet however they were typed.
    ids:      the id each label has in data set files; `0..n-1` unless declared. A card keeps those
              of the spaces that have a name in the zoo, no others.
    channels: the label each output channel of the network stands for, -1 for background and unused
              slots; one channel a label unless declared.
    """

    name: str
    names: tuple[str, ...]
    ids: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        object.__setattr__(self, "names", tuple(map(tidy, self.names)))
        object.__setattr__(self, "ids", tuple(self.ids) or tuple(range(count)))
        object.__setattr__(self, "channels", tuple(self.channels) or tuple(range(count)))
        self._check(count)

    @classmethod
    def custom(cls, names: Iterable[str]) -> LabelSpace:
        """The label space of a plain list of class names, in that order.

        Raises: LabelError for a lone string, names without an order, an empty list, an empty name
            or one that is given twice.
        """
        if isinstance(names, str):
            raise LabelError(
                f"A label space can't be made of the string '{names}'.",
                "Class names come as a list, even where there is only one.",
                f"Pass ['{names}'].",
            )
        if isinstance(names, (Set, Mapping)) or not isinstance(names, Iterable):
            raise LabelError(
                f"A label space can't be made of {names!r}.",
                f"That is {type_name(names)}, and class names come as a list, because their order "
                f"numbers them.",
                "Pass them in order, for example ['helmet', 'vest'].",
            )
        return cls(CUSTOM, tuple(names))

    def _check(self, count: int) -> None:
        failure = f"Label space '{self.name}' was declared."
        if not count:
            raise LabelError(
                failure,
                "It has no class at all.",
                "Name at least one class, for example ['helmet'].",
            )
        for label, name in enumerate(self.names):
            if not isinstance(name, str) or not is_class_name(name):
                raise LabelError(
                    failure,
                    f"Class {label} is {short(name)}, not a name.",
                    "Give every class a name.",
                )
        if len(set(self.names)) < count:
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise LabelError(
                failure,
                f"It names a class twice: {', '.join(twice)}.",
                "Give every class a name of its own.",
            )
        if len(self.ids) != count or len(set(self.ids)) != count:
            raise LabelError(
                failure,
                f"It has {pluralize(count, 'name')} but "
                f"{pluralize(len(set(self.ids)), 'distinct id')}.",
                "Give every name one id.",
            )
        if sorted(label for label in self.channels if label != -1) != list(range(count)):
            raise LabelError(
                failure,
                "Its channels do not name every label exactly once.",
                "List one channel a label, else -1.",
            )

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        more = f", … {len(self) - 3} more" if len(self) > 3 else ""
        return f"LabelSpace({self.name}: {', '.join(self.names[:3])}{more})"

    @property
    def title(self) -> str:
        """Its name, or its first classes if it is a plain list of names."""
        if self.name != CUSTOM:
            return self.name
        rest = len(self) - 3
        return ", ".join(f"{name:.40}" for name in self.names[:3]) + (
            f" and {rest} more" if rest > 0 else ""
        )

    def label(self, name: str) -> int:
        """The label of a class. Raises: LabelError with the near names, for a name that is not in
        the space."""
        if isinstance(name, str) and (label := self.label_of_name.get(tidy(name))) is not None:
            return label
        failure = f"No class {short(name)}."
        if not isinstance(name, str):
            raise LabelError(
                failure,
                f"A class goes by its name, a string, and that is {type_name(name)}.",
                self._suggest(name),
            )
        raise LabelError(
            failure, f"Label space '{self.name}' has no such class.", self._suggest(name)
        )

    def _suggest(self, name: object) -> str:
        if isinstance(name, int) and name in range(len(self)):
            return f"Label {int(name)} is '{self.names[name]}'."
        if isinstance(name, str) and (alike := close_matches(name, self.names)):
            return f"Did you mean {join_or(alike)}?"
        return f"Its classes are {join_first(self.names, 10)}."

    @cached_property
    def label_of_name(self) -> dict[str, int]:
        """Class name to label."""
        return {name: label for label, name in enumerate(self.names)}

    @cached_property
    def label_of_id(self) -> dict[int, int]:
        """Data set id to label."""
        return {number: label for label, number in enumerate(self.ids)}

    @cached_property
    def channel_of_label(self) -> tuple[int, ...]:
        """The output channel of each label."""
        where = {label: channel for channel, label in enumerate(self.channels) if label >= 0}
        return tuple(where[label] for label in range(len(self.names)))


def is_class_name(name: str) -> bool:
    """Whether tidied text can be the name of a class: not empty, and without control characters."""
    return bool(name) and not _CONTROL.search(name)


def tidy(name: str) -> str:
    """A class name without blanks and line breaks at its ends, with one blank for each run of them
    within, and with each accented letter as one character (Unicode's NFC)."""
    if not isinstance(name, str):
        return name  # the space refuses anything but text
    return " ".join(normalize("NFC", name).split())
