"""The files of a data set by split, and their kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath

from zoo.data.formats.hub.readme import BY_NAME, DEFAULT, Readme
from zoo.data.formats.hub.repository import RepositoryFiles
from zoo.errors import DataError, NameNotFound
from zoo.paths import IMAGE_SUFFIXES
from zoo.suggest import close_matches, join_or
from zoo.text import join_first, pluralize

METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
PARQUET = ".parquet"
TRAIN = "train"  # the split of a data set that has no other, as the Hub calls it
CONVERTED = "refs/convert/parquet"  # the branch with the Hub's own conversion of most data sets
_SHARD = re.compile(r"([\w.]+?)-\d{5}-of-\d{5,}\b")
_CONVERTED = re.compile(r"([^/]+)/(?:partial-)?([^/]+)/\d{4}\.parquet")
_SEPARATORS = re.compile(r"[-._ 0-9]+")
# Words in the names of folders and files, as the Hub looks for them.
WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "dev", "val"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
MAX_NAMES_SHOWN = 5  # names that a message has


@dataclass(frozen=True)
class Layout:
    """The files that are to be read.

    config: the configuration.
    splits: name -> Parquet files, or images; the name is "" where nothing says one.
    metadata: of an image folder, its files and the split of each; else none.
    """

    config: str
    splits: Mapping[str, tuple[str, ...]]
    metadata: Mapping[str, str] = field(default_factory=dict)


def layout_of(
    files: RepositoryFiles, readme: Readme, *, config: str | None, split: str | None
) -> Layout:
    """The files of a configuration, or of one split of it.

    Raises: DataError where there are none that can be read, or it can't be told which; NameNotFound
        for a configuration or a split that is not there, with those that are.
    """
    configs = _configs(files, readme)
    name = _config(configs, readme, config, files)
    splits = _by_declaration(configs[name]) if name in configs else _by_names(files.names)
    metadata = [file for file in files.names if PurePosixPath(file).name in METADATA]
    endings = IMAGE_SUFFIXES if metadata else {PARQUET}
    splits_of = {
        key: tuple(file for file in names if _suffix(file) in endings and file not in metadata)
        for key, names in splits.items()
    }
    splits_of = {key: names for key, names in splits_of.items() if names}
    if not splits_of and metadata:  # images that are not there, or of no split
        splits_of = {"": ()}
    if not splits_of:
        raise _no_data(files, name if name in configs else "")
    if split is not None:
        splits_of = {split: _one(splits_of, split, files)}
    split_by_file = {file: key for key, names in splits.items() for file in names}
    return Layout(name, splits_of, {file: split_by_file.get(file, "") for file in metadata})


def _one(
    splits: Mapping[str, tuple[str, ...]], split: str, files: RepositoryFiles
) -> tuple[str, ...]:
    """The files of one split. Raises: NameNotFound."""
    if split not in splits and not (split == TRAIN and list(splits) == [""]):
        names = [name or TRAIN for name in splits]
        suggestions = close_matches(split, names) or names
        raise NameNotFound(
            f"No split named '{split}'.",
            f"{files.address} has {', '.join(names)}.",
            f"Did you mean {join_or(suggestions)}?",
        )
    return splits.get(split) or splits[""]


def _configs(files: RepositoryFiles, readme: Readme) -> dict[str, dict[str, list[str]]]:
    """Configuration -> split -> its files; none where the names of files have to say it."""
    if readme.configs:
        return {
            name: {
                split: [file for file in files.names if any(matches(file, text) for text in texts)]
                for split, texts in patterns.items()
            }
            for name, patterns in readme.configs.items()
        }
    configs: dict[str, dict[str, list[str]]] = {}
    for name in files.names:
        if parts := _CONVERTED.fullmatch(name):
            configs.setdefault(parts[1], {}).setdefault(parts[2], []).append(name)
    return configs


def _config(
    configs: Mapping[str, object], readme: Readme, requested: str | None, files: RepositoryFiles
) -> str:
    """The name of the configuration to read. Raises: DataError where it has to be named."""
    names = list(configs) or [DEFAULT]
    if requested is not None and requested not in names:
        suggestions = close_matches(requested, names) or names
        raise NameNotFound(
            f"No configuration named '{requested}'.",
            f"{files.address} has {join_first(names, MAX_NAMES_SHOWN)}.",
            f"Did you mean {join_or(suggestions[:MAX_NAMES_SHOWN])}?",
        )
    usual = requested or readme.first or (names[0] if len(names) == 1 else "")
    usual = usual or (DEFAULT if DEFAULT in names else "")
    if not usual:
        case = f"It has {len(names)} configurations: {join_first(names, MAX_NAMES_SHOWN)}."
        fix = f"Name one of them: ,config={names[0]}"
        raise DataError(f"Data set '{files.address}' can't be read.", case, fix)
    return usual


def _by_declaration(splits: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Split -> files; those that no split is named for by their names."""
    if BY_NAME in splits:
        return _by_names(splits[BY_NAME])
    if list(splits) == [""]:
        return {"": list(splits[""])}
    return {name or TRAIN: list(members) for name, members in splits.items()}


def _by_names(names: Iterable[str]) -> dict[str, list[str]]:
    """Split -> files as their own names, or those of their folders, say it."""
    members: dict[str, list[str]] = {}
    for name in names:
        members.setdefault(split_of(name), []).append(name)
    splits = [name for name in members if name]
    data = {PARQUET, *IMAGE_SUFFIXES}
    if splits and any(_suffix(name) in data for split in splits for name in members[split]):
        return {name: members[name] for name in splits}  # as the Hub does: the others are left out
    return members


def split_of(name: str) -> str:
    """The split that the name of a file says, as the Hub reads it; empty if it says none."""
    path = PurePosixPath(name)
    if shard := _SHARD.match(path.name):
        return shard[1]
    for part in (*path.parts[:-1], path.stem):
        for word in _SEPARATORS.split(part.lower()):
            if word in WORDS:
                return WORDS[word]
    return ""


def matches(name: str, pattern: str) -> bool:
    """Whether the name of a file has a pattern: `*` stops at folders, `**` does not."""
    return _regex(pattern).fullmatch(name) is not None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    regex = ""
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|[^*?\[]+|\[", pattern):
        regex += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece) or (
            piece if piece[0] == "[" and len(piece) > 1 else re.escape(piece)
        )
    return re.compile(regex)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _no_data(files: RepositoryFiles, config: str) -> DataError:
    """The error for a data set without a file that could be read."""
    failure = f"Data set '{files.address}' can't be read."
    where = f"The configuration '{config}'" if config else "It"
    endings = sorted({_suffix(name) or name for name in files.names} - {".md", ""})
    kinds = (
        f"; its {pluralize(len(files.names), 'file')} are {join_first(endings, MAX_NAMES_SHOWN)}"
    )
    case = f"{where} has no Parquet file, and no {METADATA[0]} with images{kinds}."
    fix = "Convert it to one of the two."
    if files.repo:
        fix = f"Try the Hub's own conversion: hub:{files.repo}@{CONVERTED}"
    return DataError(failure, case, fix)
