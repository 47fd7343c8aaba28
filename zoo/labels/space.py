"""A label space: what a model's classes are called, and what data sets and networks number them.

Public labels are contiguous, `0..n-1`, everywhere in the zoo. The ids a data set uses (COCO's 1..90 with holes) and the channels a
network has (torchvision's 91 with background first) are declared here once, so that nobody adds or subtracts one elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from zoo.errors import LabelError


@dataclass(frozen=True)
class LabelSpace:
    """Class names in label order, and their ids and channels.

    name:     what the space is called, as in a card (`coco80`, or `custom` for a list given inline).
    names:    class names; the label is the position.
    ids:      the id each label has in data set files; `0..n-1` unless declared.
    channels: the label each output channel of the network stands for, -1 for background and unused slots;
              one channel a label unless declared.
    """

    name: str
    names: tuple[str, ...]
    ids: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        object.__setattr__(self, "ids", self.ids or tuple(range(count)))
        object.__setattr__(self, "channels", self.channels or tuple(range(count)))
        self._check(count)

    def _check(self, count: int) -> None:
        asked = f"Label space '{self.name}' was declared."
        twice = sorted({name for name in self.names if self.names.count(name) > 1}) if len(set(self.names)) < count else []
        if twice:
            raise LabelError(asked, f"It names a class twice: {', '.join(twice)}.", "Give every class a name of its own.")
        if len(self.ids) != count or len(set(self.ids)) != count:
            raise LabelError(asked, f"It has {count} names but {len(set(self.ids))} distinct ids.", "Give every name one id.")
        if sorted(label for label in self.channels if label >= 0) != list(range(count)):
            raise LabelError(asked, "Its channels do not name every label exactly once.", "List one channel a label, -1 for the rest.")

    def __len__(self) -> int:
        return len(self.names)

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
