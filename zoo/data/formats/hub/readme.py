"""The header of a data set's README.md: its configurations, their files, and the classes of its
columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.data.formats.hub.repository import RepositoryFiles
from zoo.errors import CardError
from zoo.files import read_regular
from zoo.registry.yaml_document import parse_value

README = "README.md"
DEFAULT = "default"
BY_NAME = "?"  # the split of files whose own names say theirs
_HEADER = re.compile(
    rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL
)
_MAX_LEVELS = 64  # levels of features that are looked into


@dataclass(frozen=True)
class Readme:
    """The content of the header.

    configs: by name, split -> patterns of its files; a split without name is "", and BY_NAME of
        files whose own names say it.
    first:   the configuration that is meant where none is named; empty if that can't be told.
    info:    the content of `dataset_info`, by configuration.
    notes:   what could not be understood, a sentence each.
    box_format: the form of boxes in pixels, in the field `box_format` that folders written here
        have; empty if it says none.
    """

    configs: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    first: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    box_format: str = ""


def readme_of(files: RepositoryFiles) -> Readme:
    """The header of the README of a data set, which is fetched for it; nothing where there is
    none."""
    if README not in files.names:
        return Readme()
    files.fetch([README])
    try:
        match = _HEADER.match(read_regular(files.path(README)))
        content = parse_value(match[1], README) if match else None
    except (CardError, OSError) as error:
        case = error.case if isinstance(error, CardError) else f"{error.strerror}."
        return Readme(notes=(f"The header of its README.md is not understood: {case}",))
    if not isinstance(content, dict):
        return Readme()
    configs, chosen = {}, []
    for config in filter(_is_mapping, _list(content.get("configs"))):
        name = str(config.get("config_name", DEFAULT))
        configs[name] = _patterns(config)
        chosen += [name] if config.get("default") is True else []
    usual = chosen or [name for name in configs if name == DEFAULT or len(configs) == 1]
    infos = list(filter(_is_mapping, _list(content.get("dataset_info"))))
    info = {str(entry.get("config_name", DEFAULT)): entry for entry in infos}
    form = str(content.get("box_format") or "")
    return Readme(configs, usual[0] if usual else "", info, box_format=form)


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _list(value: Any) -> list[Any]:
    """A value that may stand alone, or not at all, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _patterns(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Split -> patterns of its files."""
    folder = str(config.get("data_dir") or "").strip("/")
    below = f"{folder}/" if folder and folder != "." else ""
    data_files = config.get("data_files")
    if data_files is None:
        return {BY_NAME: [f"{below}**"]}
    patterns: dict[str, list[str]] = {}
    entries = (
        data_files.items()
        if isinstance(data_files, dict)
        else [("", entry) for entry in _list(data_files)]
    )
    for split, entry in entries:
        if isinstance(entry, dict):
            split, entry = str(entry.get("split", "")), entry.get("path")
        texts = [str(item) for item in _list(entry)]
        patterns.setdefault(str(split), []).extend(
            f"{below}{text.removeprefix('./')}" for text in texts
        )
    return patterns


def class_names(features: Any, path: Sequence[str]) -> tuple[str, ...]:
    """The names of a ClassLabel among the features of a data set; none where it is not there.

    features: as the header of a README has them, or as JSON in Parquet. path: the names of the
        columns that lead to it, as objects and category.
    """
    nodes = [features]
    for name in path:
        nodes = [inner for node in nodes for inner in _features_named(node, name)]
    for node in nodes:
        for inner in _below(node):
            if names := _names(inner):
                return names
    return ()


def _features_named(node: Any, name: str) -> list[Any]:
    """The features of that name, the outermost first."""
    members = []
    for inner in _below(node):
        if isinstance(inner, dict):
            members += [inner[name]] if name in inner else []
            members += [inner] if inner.get("name") == name else []
    return members


def _below(node: Any, depth: int = 0) -> Iterator[Any]:
    """A value, and those in it."""
    yield node
    if depth < _MAX_LEVELS:
        values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        for value in values:
            yield from _below(value, depth + 1)


def _names(node: Any) -> tuple[str, ...]:
    if not isinstance(node, dict):
        return ()
    names = node.get("names") if node.get("_type") == "ClassLabel" else None
    if isinstance(node.get("class_label"), dict):
        names = node["class_label"].get("names")
    if isinstance(names, dict):  # of numbers as text, in any order
        names = [names[key] for key in sorted(names, key=lambda key: (len(str(key)), str(key)))]
    return tuple(map(str, names)) if isinstance(names, list) else ()
