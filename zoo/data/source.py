"""A data set by what a person types: `coco:path/instances.json`, with options behind commas."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any, get_args, get_type_hints

from zoo.data.dataset import Dataset
from zoo.data.finding import collecting, current_findings
from zoo.data.missing_path import is_missing, missing_path
from zoo.data.options import DOUBLED_COMMA, convert_options
from zoo.environment import expand_home
from zoo.errors import ContractError, DataError, ZooError
from zoo.files import pause_gc
from zoo.registry import builtin, catalogue
from zoo.registry.dataset_format import DatasetFormat
from zoo.registry.plugin_messages import describe_exception
from zoo.registry.registrations import Contribution
from zoo.registry.registry_file import CORE
from zoo.suggest import join_or
from zoo.text import capitalized, type_name

_FORMAT = re.compile(r"([a-z][\w/-]+):")  # two letters or more: a single one is a drive of Windows
# ,, is a comma of the text's own
_OPTION = re.compile(r"(?<!,)((?:,,)*),([a-z_][a-z0-9_]*)=((?:[^,]|,,)*)$")


def read(data: str | os.PathLike[str] | Dataset) -> Dataset:
    """The data set that was named: `FORMAT:PATH[,OPTION=VALUE…]`, or the path alone where its
    suffix says the format, or the folder's content does.

    `coco:annotations/instances_val2017.json` finds the images next to the file or in a folder near
    it; `,images=FOLDER` says where they are, `,name=NAME` what to call the data set. Formats are
    what plugins register as data sets; `coco`, `voc`, `yolo`, `csv`, `hub` and `hub-folder` are
    built in. With any of them, `,splits=FOLDER` takes the splits from lists, as `zoo data split`
    writes them. Commas and equals signs may be part of the path: what there is a file of is a path
    as a whole, and so is a `pathlib.Path`; else a comma is written twice
    (`coco:lr=1,,run=2/instances.json,images=FOLDER`).
    Raises:
        NameNotFound: no plugin reads that format.
        DataError: an option is not the reader's, or the file is wrong; it names file and record,
            and `zoo data check --fix` where that leads to a copy without it.
    """
    if isinstance(data, Dataset):
        return data
    text = _text(data)
    failure = f"Data set '{text}' can't be read."
    name, path, options_given = _parse(data, failure)
    format_ = _format(name)
    if _reads_paths(name) and is_missing(path):
        advice = DOUBLED_COMMA if options_given else ""
        raise missing_path(path, failure, written=_written_format(text), advice=advice)
    lists = options_given.pop("splits", None)
    split = options_given.pop("split", None) if lists else None
    options = convert_options(format_.options, options_given, failure, name)
    arguments = (path,) if format_.options is None else (path, options)
    dataset = _read_or_advise(format_, text, failure, arguments)
    if not isinstance(dataset, Dataset):
        raise DataError(
            failure,
            f"The reader '{name}' returned {type_name(dataset)}, not a zoo.data.Dataset.",
            f"That is a defect of {format_.owner}: report it there.",
        )
    return dataset if lists is None else _with_lists(dataset, expand_home(lists), split)


def _read_or_advise(
    format_: DatasetFormat, text: str, failure: str, arguments: tuple[Any, ...]
) -> object:
    """The result of a reader. Raises: as `_call`; a DataError says how a corrected copy is had,
    where one can be. text: what was typed."""
    try:
        return _call(format_, format_.read, failure, *arguments)
    except DataError as error:
        if current_findings() is not None or not _has_corrected_copy(format_, failure, arguments):
            raise
        to = "FOLDER" if format_.write else "coco:FOLDER"
        advice = f"Or write a corrected copy: zoo data check {quote(text)} --fix {to}"
        fix, fix_cli = ([*words.splitlines(), advice] for words in (error.fix, error.fix_cli))
        raise DataError(error.failure, error.case, fix, fix_cli=fix_cli) from error.__cause__


def _has_corrected_copy(format_: DatasetFormat, failure: str, arguments: tuple[Any, ...]) -> bool:
    """Whether images are left to read without the records that can't be, as a corrected copy has
    them."""
    with collecting():
        try:
            dataset = _call(format_, format_.read, failure, *arguments)
        except ZooError:
            return False
    return isinstance(dataset, Dataset) and len(dataset) > 0


def _with_lists(dataset: Dataset, folder: Path, split: str | None) -> Dataset:
    """The data set with the splits that lists in a folder name, or one of them."""
    from zoo.data.splitting import read_lists, with_splits  # deferred: most data has its own

    divided = with_splits(dataset, read_lists(dataset, folder))
    return divided if split is None else divided.splits[split]


def write(dataset: Dataset, to: str | os.PathLike[str]) -> None:
    """Writes the annotations of a data set: `FORMAT:PATH`, or the path alone where its suffix says
    the format. The images stay where they are.

    Raises:
        NameNotFound: there is no such format.
        DataError: the format has no writer, or can't hold this data set; or the file can't be
            written, and the one that was there stays.
    """
    format_, path = target(to, f"{dataset.name} can't be written to '{_text(to)}'.")
    write_as(format_, dataset, path, f"{dataset.name} can't be written to '{_text(to)}'.")


def target(to: str | os.PathLike[str], failure: str) -> tuple[DatasetFormat, Path]:
    """The format and the path that a person typed to write to. Raises: as `write`."""
    name, path, options = _parse(to, failure, new=True)
    if options:
        case = f"Options are for reading, and this has '{next(iter(options))}'."
        raise DataError(failure, case, "Leave it out; a comma of the path's own is written twice.")
    format_ = _format(name)
    if format_.write is None:
        raise DataError(
            failure, f"The format '{name}' has no writer.", "Write for example coco:PATH"
        )
    return format_, path


def has_format(text: str) -> bool:
    """Whether a text begins with a format, as `coco:PATH` does."""
    return _FORMAT.match(text) is not None


def is_file(format_: DatasetFormat, path: Path) -> bool:
    """Whether a path, by its suffix, is one file of a format rather than its folder."""
    return path.name.lower().endswith(format_.registered.suffixes or "\0")


def format_name(data: str | os.PathLike[str]) -> str:
    """The format that a person named, or that the path says. Raises: DataError."""
    return _parse(data, f"Data set '{_text(data)}' can't be read.")[0]


def source_path(data: str | os.PathLike[str]) -> Path:
    """The path that a person named, without format and options. Raises: DataError."""
    return _parse(data, f"Data set '{_text(data)}' can't be read.")[1]


def relative_to(address: str, folder: Path) -> str:
    """An address as `read` takes it, with the paths that are relative to `folder` made absolute.

    Names that are not paths stay as they are, as in `shapes:test` or `hub:OWNER/NAME`.
    Raises: DataError, NameNotFound as `read`.
    """
    form, place, options = _divide(address, f"Data set '{address}' can't be read.", folder)
    path = (folder / expand_home(place)).absolute()
    name = form or _by_suffix(str(path), f"Data set '{address}' can't be read.", new=False)
    format_ = _format(name)
    if place and (form is None or path.exists() or format_.reads_files):
        place = str(path)
    hints = {"splits": Path} | (get_type_hints(format_.options) if format_.options else {})
    for option, value in options.items():
        if Path in (hints.get(option), *get_args(hints.get(option))):
            options[option] = str((folder / expand_home(value)).absolute())
    parts = [place, *(f"{option}={value}" for option, value in reversed(options.items()))]
    return f"{name}:" + ",".join(part.replace(",", ",,") for part in parts)


def write_as(format_: DatasetFormat, dataset: Dataset, path: Path, failure: str) -> None:
    """Writes a data set with the writer of a format. failure: what is said to have failed, as a
    sentence. Raises: as `write`."""
    if format_.write is not None:
        _call(format_, format_.write, failure, dataset, path)


def _call(
    format_: DatasetFormat, function: Callable[..., Any], failure: str, *arguments: Any
) -> object:
    """The result of a reader or writer. Raises: DataError for a file that can't be opened,
    ContractError for whatever else it raises."""
    try:
        with pause_gc():
            return function(*arguments)
    except (ZooError, MemoryError):
        raise
    except OSError as error:
        path = error.filename or next(item for item in arguments if isinstance(item, Path))
        case = f"The format '{format_.name}' can't open '{path}': {error.strerror or error}."
        raise DataError(failure, case, "Check the path and its permissions.") from error
    except Exception as error:
        case = f"The format '{format_.name}' {describe_exception(error).rstrip('.')}."
        fix = f"That is a defect of {format_.owner}: report it there."
        raise ContractError(failure, case, fix) from error


@cache
def _built_in() -> dict[str, DatasetFormat]:
    """The core's own formats: no plugin takes their names over, and none is looked for."""
    own = Contribution(CORE, Path(builtin.__file__))
    builtin.register_datasets(own.add_dataset)
    return {
        name: DatasetFormat(name, "detzoo", registered) for name, registered in own.formats.items()
    }


def _format(name: str) -> DatasetFormat:
    return _built_in().get(name) or catalogue().dataset_format(name)


def _reads_paths(name: str) -> bool:
    """Whether a format is built in and reads files or folders, rather than names of the Hub; where
    those of plugins read from is theirs to say."""
    format_ = _built_in().get(name)
    return format_ is not None and bool(format_.registered.suffixes or format_.registered.recognise)


def _written_format(text: str) -> str:
    """`coco:`, where a person wrote it in front of the path."""
    match = _FORMAT.match(text)
    return match[0] if match else ""


def _text(data: object) -> str:
    if isinstance(data, str | os.PathLike):
        return os.fsdecode(data)
    raise DataError(
        f"{capitalized(type_name(data))} was named as a data set.",
        "A data set is named by text or a path, or is a zoo.data.Dataset.",
        "Write for example data='coco:path/instances.json'.",
    )


def _parse(
    data: str | os.PathLike[str], failure: str, *, new: bool = False
) -> tuple[str, Path, dict[str, str]]:
    """Format, path and options; a `Path` is a path as a whole. new: it is written to. Raises:
    DataError."""
    form, place, options = _divide(data, failure)
    name = form or _by_suffix(place, failure, new=new)
    if not place:
        raise DataError(
            failure, "It names no file.", f"Write for example {name}:path/instances.json"
        )
    return name, expand_home(place), options


def _divide(
    data: str | os.PathLike[str], failure: str, folder: Path = Path()
) -> tuple[str | None, str, dict[str, str]]:
    """The format where one is typed, the path and the options. folder: relative paths are looked
    up there. Raises: DataError."""
    text, is_path = os.fsdecode(data), not isinstance(data, str)
    form = _FORMAT.match(text)
    if form and (is_path or _there(text, folder)) and not _there(text[form.end() :], folder):
        form = None  # a colon of the path's own
    place = text[form.end() :] if form else text
    place, options = (place, {}) if is_path else _split(place, failure, folder)
    return form[1] if form else None, place, options


def _by_suffix(place: str, failure: str, *, new: bool) -> str:
    """The format whose suffix the path has, of several suffixes the longest; of a folder the one
    that recognises it. Raises: DataError."""
    if place and os.path.isdir(expand_home(place)):
        return _by_content(place, failure)
    formats_of_suffix: dict[str, list[str]] = {}
    for name, format_ in _built_in().items():
        formats_of_suffix |= {suffix: [name] for suffix in format_.registered.suffixes}
    formats = _fitting(place, formats_of_suffix)
    if not formats and place:  # looking for plugins takes longer than reading most files
        formats = _fitting(place, catalogue().dataset_suffixes())
    if len(formats) == 1:
        return formats[0]
    if place and not (formats or new) and is_missing(expand_home(place)):
        raise missing_path(expand_home(place), failure, written="")
    case = f"Several formats have its suffix: {', '.join(formats)}."
    raise DataError(
        failure,
        case if formats else "Nothing says its format.",
        f"Write for example {formats[0] if formats else 'coco'}:{place}",
    )


def _by_content(place: str, failure: str) -> str:
    """The format that says a folder is its own. Raises: DataError where none does, or several."""
    folder = expand_home(place)
    recognizing = [
        name for name, format_ in _built_in().items() if _recognises(format_, folder, failure)
    ]
    if not recognizing:
        registered = catalogue()
        others = [
            name for name in registered.dataset_recognisers() if not name.startswith(f"{CORE}/")
        ]
        recognizing = [
            name for name in others if _recognises(registered.dataset_format(name), folder, failure)
        ]
    if len(recognizing) == 1:
        return recognizing[0]
    if folder.is_dir() and next(folder.iterdir(), None) is None:
        raise DataError(failure, "The folder is empty.", "Name one with annotations and images.")
    case = (
        f"It can be read as {join_or(recognizing)}."
        if recognizing
        else "Nothing in it says its format."
    )
    formats = recognizing or [
        name for name, format_ in _built_in().items() if format_.registered.recognise
    ]
    raise DataError(failure, case, f"Write {join_or(f'{name}:{place}' for name in formats)}.")


def _recognises(format_: DatasetFormat, folder: Path, failure: str) -> bool:
    recognise = format_.recognise
    return recognise is not None and bool(_call(format_, recognise, failure, folder))


def _fitting(place: str, suffixes: Mapping[str, list[str]]) -> list[str]:
    """The formats of the longest suffix that a path has."""
    fitting = [suffix for suffix in suffixes if place.lower().endswith(suffix)]
    return suffixes[max(fitting, key=len)] if fitting else []


def _split(place: str, failure: str, folder: Path) -> tuple[str, dict[str, str]]:
    """The path without the options at its end, and these."""
    options: dict[str, str] = {}
    while not _there(place, folder) and (match := _OPTION.search(place)):
        if match[2] in options:
            raise DataError(
                failure, f"It gives the option '{match[2]}' twice.", "Leave one of them out."
            )
        value = match[3]
        options[match[2]] = value if (folder / value).exists() else value.replace(",,", ",")
        place = place[: match.end(1)]
    return place if _there(place, folder) else place.replace(",,", ","), options


def _there(place: str, folder: Path) -> bool:
    return "\0" not in place and os.path.exists(folder / expand_home(place))
