"""The `data.yaml` of a YOLO data set: class names and splits, as several tools write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.split_lists import NAMES, read_list
from zoo.errors import CardError, DataError
from zoo.files import read_regular
from zoo.registry.yaml_document import parse_value

FILE = "data.yaml"
# Lists of classes, one a line, as labelling tools write them.
LISTS = ("classes.txt", "obj.names", "labels.txt")
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Description:
    """Class names by number, and the places of each split as they are written.

    root: the folder that places are in.
    """

    root: Path
    names: tuple[str, ...]
    splits: Mapping[str, tuple[str, ...]]


def description_of(path: Path) -> Description:
    """The description of a folder, or in a file. Raises: DataError where there is none, or it is
    wrong."""
    if path.is_file():
        return _read_description(path)
    for file in sorted(path.iterdir()):
        if file.suffix.lower() in SUFFIXES and is_description(file):
            return _read_description(file)
    for name in LISTS:
        if (path / name).is_file():
            return Description(path, tuple(read_list(path / name)), {})
    case = f"It has no {FILE} and no list of its classes, such as {LISTS[0]}."
    raise DataError(f"{path} can't be read as YOLO.", case, f"Write {path / FILE} with its names.")


def is_description(path: Path) -> bool:
    """Whether a YAML file names classes and splits."""
    try:
        content = parse_value(read_regular(path), path)
    except (CardError, OSError):
        return False
    return isinstance(content, dict) and "names" in content


def _read_description(path: Path) -> Description:
    try:
        content = parse_value(read_regular(path), path)
    except CardError as error:
        raise DataError(f"'{path}' was read.", error.case, error.fix) from None
    if not isinstance(content, dict):
        raise _wrong(path, "It is not a mapping.")
    names = _names(content, path)
    root = path.absolute().parent
    if isinstance(declared_root := content.get("path"), str):
        # made on another machine, or relative to a folder that only its tool knows
        root = next(
            (place for place in (root / declared_root, Path(declared_root)) if place.is_dir()), root
        )
    split_keys = [name for name in content if str(name).lower() in NAMES]
    splits = {str(name): _places(content[name], str(name), path) for name in split_keys}
    return Description(root, names, {name: places for name, places in splits.items() if places})


def _names(content: Mapping[Any, Any], path: Path) -> tuple[str, ...]:
    """Class names in order. Raises: DataError for numbers with a gap."""
    names = content.get("names")
    if isinstance(names, dict):
        numbers = {str(key): str(name) for key, name in names.items()}
        keys = [str(number) for number in range(len(numbers))]
        if missing := [number for number in keys if number not in numbers]:
            case = (
                f"Its names are numbered {', '.join(list(numbers)[:9])}; {missing[0]} is missing."
            )
            raise _wrong(path, case)
        return tuple(numbers[number] for number in keys)
    if not isinstance(names, list) or not names:
        raise _wrong(path, "It has no names.")
    count = content.get("nc")
    if isinstance(count, int) and count != len(names):
        raise _wrong(path, f"It has {len(names)} names, and nc says {count}.")
    return tuple(map(str, names))


def _places(value: Any, split: str, path: Path) -> tuple[str, ...]:
    places = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(places, list) or not all(isinstance(place, str) for place in places):
        raise _wrong(path, f"The split '{split}' is {value!r:.60}, not a folder or a list of them.")
    return tuple(place for place in places if place.strip())


def _wrong(path: Path, case: str) -> DataError:
    fix = "Write names: [cat, dog] and train: images/train, for example."
    return DataError(f"'{path}' was read.", case, fix)
