"""A data set by what a person types: `coco:path/instances.json`, with options behind commas."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from zoo.data.dataset import Dataset
from zoo.errors import ContractError, DataError, ZooError
from zoo.registry import catalogue
from zoo.registry.conduct import said
from zoo.words import begun, kind

_FORMAT = re.compile(r"([a-z][\w/-]+):")  # two letters or more: a single one is a drive of Windows
_OPTION = re.compile(r",([a-z_]+)=([^,]*)$")
SUFFIXES = {".json": "coco"}


def read(data: str | os.PathLike[str] | Dataset) -> Dataset:
    """The data set that was named: `FORMAT:PATH[,OPTION=VALUE…]`, or the path alone where its suffix says the format.

    `coco:annotations/instances_val2017.json` finds the pictures beside the file or in a folder near it; `,images=FOLDER` says
    where they are, `,name=NAME` what to call the data set. Formats are what plugins register as data sets; `coco` is built in.
    Raises:
        NameNotFound: no plugin reads that format.
        DataError: an option is not the reader's, or the file is wrong; it names file and record.
    """
    if isinstance(data, Dataset):
        return data
    if not isinstance(data, str | os.PathLike):
        raise DataError(
            f"{begun(kind(data))} was named as a data set.",
            "A data set is named by text or a path, or is a zoo.data.Dataset.",
            "Write for example data='coco:path/instances.json'.",
        )
    text = os.fspath(data)
    place, options = _split(text)
    form = _FORMAT.match(place)
    name = form[1] if form else SUFFIXES.get(Path(place).suffix.lower())
    if name is None:
        raise DataError(f"The data set '{text}' was asked for.", "Nothing says its format.", f"Write for example coco:{text}")
    if not (rest := place[form.end() :] if form else place):
        raise DataError(
            f"The data set '{text}' was asked for.", "It names no file.", f"Write for example {name}:path/instances.json"
        )
    build = catalogue().builder("datasets", name)
    _check_options(text, build, options)
    made = _made(text, name, build, Path(rest).expanduser(), options)
    if not isinstance(made, Dataset):
        raise DataError(
            f"The data set '{text}' was asked for.",
            f"The reader '{name}' returned {kind(made)}, not a zoo.data.Dataset.",
            f"That is a defect of {_whose(name)}: report it there.",
        )
    return made


def _made(text: str, name: str, build: Callable[..., object], path: Path, options: Mapping[str, str]) -> object:
    """What the reader returns. Raises: DataError for a file that can't be opened, ContractError for whatever else it raises."""
    asked = f"The data set '{text}' was asked for."
    try:
        return build(path, **options)
    except (ZooError, MemoryError):
        raise
    except OSError as why:
        case = f"The reader '{name}' can't read '{why.filename or path}': {why.strerror or why}."
        raise DataError(asked, case, "Check the path and its permissions.") from why
    except Exception as why:
        case = f"The reader '{name}' {said(why).rstrip('.')}."
        raise ContractError(asked, case, f"That is a defect of {_whose(name)}: report it there.") from why


def _whose(name: str) -> str:
    """The distribution of the plugin that registered a reader: `detzoo-voc 1.0`."""
    readers = [one for one in catalogue().parts("datasets") if name in (one, one.partition("/")[2])]
    plugin = readers[0].partition("/")[0] if readers else ""
    owners = [f"{info.distribution} {info.version}" for info in catalogue().plugins if info.name == plugin]
    return owners[0] if owners else "the plugin that registers it"


def _split(text: str) -> tuple[str, dict[str, str]]:
    """The text without the options at its end, and these."""
    options: dict[str, str] = {}
    whole = text
    while found := _OPTION.search(text):
        if found[1] in options:
            raise DataError(
                f"The data set '{whole}' was asked for.", f"It gives the option '{found[1]}' twice.", "Leave one of them out."
            )
        options[found[1]] = found[2]
        text = text[: found.start()]
    return text, options


def _check_options(text: str, build: Callable[..., object], options: Mapping[str, str]) -> None:
    """Raises: DataError naming the options that there are, for one that there is not."""
    parameters = inspect.signature(build).parameters.values()
    known = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    for option in options:
        if option not in known and not any(one.kind is one.VAR_KEYWORD for one in parameters):
            raise DataError(
                f"The data set '{text}' was asked for.",
                f"Its format has no option '{option}'; it has {', '.join(known) or 'none'}.",
                "Correct it, or leave it out.",
            )
