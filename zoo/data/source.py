"""A data set by what a person types: `coco:path/instances.json`, with options behind commas."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from zoo.data.dataset import Dataset
from zoo.data.formats.coco import reader as coco
from zoo.errors import ContractError, DataError, ZooError
from zoo.text import capitalized, type_name

_FORMAT = re.compile(r"([a-z][\w/-]+):")  # two letters or more: a single one is a drive of Windows
_OPTION = re.compile(
    r"(?<!,)((?:,,)*),([a-z_]+)=((?:[^,]|,,)*)$"
)  # ,, is a comma of the text's own
BUILT_IN = {"coco": coco.read}  # no plugin takes these names over, and no plugin is looked for
SUFFIXES = {".json": "coco", ".json.gz": "coco"}


def read(data: str | os.PathLike[str] | Dataset) -> Dataset:
    """The data set that was named: `FORMAT:PATH[,OPTION=VALUE…]`, or the path alone where its
    suffix says the format.

    `coco:annotations/instances_val2017.json` finds the images beside the file or in a folder near
    it; `,images=FOLDER` says where they are, `,name=NAME` what to call the data set. Formats are
    what plugins register as data sets; `coco` is built in. Commas and equals signs may be part of
    the path: what there is a file of is a path as a whole, and so is a `pathlib.Path`; else a comma
        is written twice (`coco:lr=1,,run=2/instances.json,images=FOLDER`).
    Raises:
        NameNotFound: no plugin reads that format.
        DataError: an option is not the reader's, or the file is wrong; it names file and record.
    """
    if isinstance(data, Dataset):
        return data
    if not isinstance(data, str | os.PathLike):
        raise DataError(
            f"{capitalized(type_name(data))} was named as a data set.",
            "A data set is named by text or a path, or is a zoo.data.Dataset.",
            "Write for example data='coco:path/instances.json'.",
        )
    text = os.fspath(data)
    name, place, options = _parsed(text, whole=not isinstance(data, str))
    if name is None:
        raise DataError(
            f"The data set '{text}' was asked for.",
            "Nothing says its format.",
            f"Write for example coco:{text}",
        )
    if not place:
        raise DataError(
            f"The data set '{text}' was asked for.",
            "It names no file.",
            f"Write for example {name}:path/instances.json",
        )
    build = _reader(name)
    _check_options(text, build, options)
    made = _made(text, name, build, Path(place).expanduser(), options)
    if not isinstance(made, Dataset):
        raise DataError(
            f"The data set '{text}' was asked for.",
            f"The reader '{name}' returned {type_name(made)}, not a zoo.data.Dataset.",
            f"That is a defect of {_whose(name)}: report it there.",
        )
    return made


def _made(
    text: str, name: str, build: Callable[..., object], path: Path, options: Mapping[str, str]
) -> object:
    """What the reader returns. Raises: DataError for a file that can't be opened, ContractError for
    whatever else it raises."""
    asked = f"The data set '{text}' was asked for."
    try:
        return build(path, **options)
    except (ZooError, MemoryError):
        raise
    except OSError as why:
        case = f"The reader '{name}' can't read '{why.filename or path}': {why.strerror or why}."
        raise DataError(asked, case, "Check the path and its permissions.") from why
    except Exception as why:
        from zoo.registry.conduct import said  # deferred, as below

        case = f"The reader '{name}' {said(why).rstrip('.')}."
        raise ContractError(
            asked, case, f"That is a defect of {_whose(name)}: report it there."
        ) from why


def _whose(name: str) -> str:
    """The distribution of the plugin that registered a reader: `detzoo-voc 1.0`."""
    from zoo.registry import catalogue  # deferred, as below

    readers = [one for one in catalogue().parts("datasets") if name in (one, one.partition("/")[2])]
    plugin = readers[0].partition("/")[0] if readers else ""
    owners = [
        f"{info.distribution} {info.version}" for info in catalogue().plugins if info.name == plugin
    ]
    return owners[0] if owners else "the plugin that registers it"


def _reader(name: str) -> Callable[..., object]:
    if name in BUILT_IN:
        return BUILT_IN[name]
    from zoo.registry import (
        catalogue,
    )  # deferred: looking for plugins takes longer than reading most files

    return catalogue().builder("datasets", name)


def _parsed(text: str, *, whole: bool) -> tuple[str | None, str, dict[str, str]]:
    """Format, path and options. whole: it is a path and has no options."""
    form = _FORMAT.match(text)
    if form and (whole or _there(text)) and not _there(text[form.end() :]):
        form = None  # a colon of the path's own
    place = text[form.end() :] if form else text
    place, options = (place, {}) if whole else _split(place, text)
    suffix = next((one for one in SUFFIXES if place.lower().endswith(one)), "")
    return (form[1] if form else SUFFIXES.get(suffix)), place, options


def _split(place: str, whole: str) -> tuple[str, dict[str, str]]:
    """The path without the options at its end, and these."""
    options: dict[str, str] = {}
    while not _there(place) and (found := _OPTION.search(place)):
        if found[2] in options:
            raise DataError(
                f"The data set '{whole}' was asked for.",
                f"It gives the option '{found[2]}' twice.",
                "Leave one of them out.",
            )
        options[found[2]] = found[3] if os.path.exists(found[3]) else found[3].replace(",,", ",")
        place = place[: found.end(1)]
    return place if _there(place) else place.replace(",,", ","), options


def _there(place: str) -> bool:
    return "\0" not in place and os.path.exists(os.path.expanduser(place))


def _check_options(text: str, build: Callable[..., object], options: Mapping[str, str]) -> None:
    """Raises: DataError naming the options that there are, for one that there is not."""
    parameters = inspect.signature(build).parameters.values()
    known = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    for option in options:
        if option not in known and not any(one.kind is one.VAR_KEYWORD for one in parameters):
            raise DataError(
                f"The data set '{text}' was asked for.",
                f"Its format has no option '{option}'; it has {', '.join(known) or 'none'}.",
                "Correct it, or leave it out; a comma of the path's own is written twice.",
            )
