"""The label spaces that have a name; the lists themselves are the text files in `data`, each with
its source."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from zoo.errors import LabelError, NameNotFound
from zoo.labels.space import CUSTOM, LabelSpace
from zoo.suggest import close_matches, join_or
from zoo.text import join_first

log = logging.getLogger("zoo")

OPEN = "open"  # the labels of a model that is told its classes when it is loaded
MAX_NAMES_SHOWN = 3  # class names that a model's name repeats
Labels = LabelSpace | str | Iterable[str]

# The file with ids and names, and the data set id each output channel stands for: None where there
# is one channel a class. coco91 is torchvision's and DETR's numbering (the channel is the id, 0 is
# background), coco90 EfficientDet's (the id less one).
_DECLARED: dict[str, tuple[str, range | None]] = {
    "coco80": ("coco", None),
    "coco90": ("coco", range(1, 91)),
    "coco91": ("coco", range(91)),
    "coco_person": ("coco_person", range(2)),
    "objects365": ("objects365", None),
    "voc20": ("voc", None),
}


def names() -> tuple[str, ...]:
    """Names of the built-in spaces, in alphabetical order."""
    return tuple(_DECLARED)


@cache
def get(name: str) -> LabelSpace:
    """The declared label space of that name. Raises: NameNotFound with the near names."""
    try:
        file, channel_ids = _DECLARED[name]
    except KeyError:
        raise _not_found(name) from None
    rows = _read(file)
    label_of_id = {number: label for label, number in enumerate(rows)}
    channels = tuple(label_of_id.get(number, -1) for number in channel_ids or ())
    return LabelSpace(name, tuple(rows.values()), tuple(rows), channels)


def space_of(labels: Labels) -> LabelSpace:
    """The label space that a card or a caller means: a space, the name of a declared one, or a list
    of class names."""
    if isinstance(labels, LabelSpace):
        return labels
    return get(labels) if isinstance(labels, str) else LabelSpace.custom(labels)


def label_spaces(
    declared: str | list[str], labels: Labels | None, *, model: str
) -> tuple[LabelSpace | None, LabelSpace]:
    """The label space of a card, None if that is open, and the one to load its model for.

    Raises: LabelError where the card's is open and none was given, or one that can't be.
    """
    old = None if declared == OPEN else space_of(declared)
    if labels is not None:
        return old, space_of(labels)
    if old is None:
        raise LabelError(
            f"'{model}' can't be loaded.",
            "It finds the classes that it is told, and none were named.",
            f'Name them: zoo.load("{model}", labels=["helmet", "vest"])',
            fix_cli=f"Name them: zoo detect IMAGE --model {model} --labels helmet,vest",
        )
    return old, old


def labels_of_card(space: LabelSpace) -> str | list[str]:
    """A label space as a card says it: by its name if it is that declared space, or as class
    names."""
    return space.name if _is_declared(space) else list(space.names)


def warn_of_lost_ids(space: LabelSpace) -> None:
    """Says which ids of classes a card of that space can't keep, if it has any of its own."""
    if not _is_declared(space) and space.ids != tuple(range(len(space))):
        log.warning(
            "The card keeps the names of the classes and not their ids, %s: what is loaded from it "
            "numbers them from 0. To write a data set's ids: to_coco(…, label_space=…).",
            join_first([str(number) for number in space.ids], MAX_NAMES_SHOWN),
        )


def _is_declared(space: LabelSpace) -> bool:
    """Whether it is the declared space of its name; its network may have background in front."""
    if space.name not in _DECLARED:
        return False
    declared_space = get(space.name)
    channels = (declared_space.channels, (-1, *declared_space.channels))
    return (space.names, space.ids) == (
        declared_space.names,
        declared_space.ids,
    ) and space.channels in channels


def name_with_labels(name: str, old: LabelSpace | None, new: LabelSpace) -> str:
    """The name of a model for other classes than its card's: `yolox_nano.coco[helmet,vest]`,
    `yolox_nano.coco[voc20]`."""
    if old is not None and new.names == old.names:
        return name
    if new.name != CUSTOM:
        return f"{name}[{new.name}]"
    return (
        f"{name}[{','.join(new.names)}]"
        if len(new) <= MAX_NAMES_SHOWN
        else f"{name}[{len(new)} classes]"
    )


def _read(file: str) -> dict[int, str]:
    """Data set id to class name, in label order."""
    text = (Path(__file__).parent / "data" / f"{file}.txt").read_text(encoding="utf-8")
    lines = (line.split(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {int(number): name for number, name in lines}


def _not_found(name: str) -> NameNotFound:
    alike = close_matches(name, _DECLARED)
    guess = f"Did you mean {join_or(alike)}?" if alike else f"Declared are {', '.join(_DECLARED)}."
    return NameNotFound(
        f"No label space named '{name}'.",
        "No label space has that name.",
        f"{guess} A list of class names makes one of your own.",
    )
