"""Data sets in parts: by a hash of each image's id, which no other image moves, or balanced by
class; groups together; written as plain lists."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.image_files import stem
from zoo.data.split_lists import in_order, list_text, read_list, rows_in_list
from zoo.data.target_names import names_below, slashed_names
from zoo.errors import DataError, UsageError
from zoo.files import free_place, write_errors, write_file
from zoo.suggest import close_matches, join_or

FOLDER = "folder"
NEAR = 0.05  # of all images that a part of a balanced split may be away from its share
Rows = dict[str, NDArray[np.int64]]
Names = list[str]


def split_rows(
    dataset: Dataset,
    shares: Mapping[str, float],
    *,
    group_by: str | None = None,
    together: Sequence[Sequence[int]] = (),
    stratify: bool = False,
    keep: Mapping[str, Sequence[int]] | None = None,
    seed: int = 0,
) -> Rows:
    """The images of each part, as positions; see `Dataset.split`.

    together: more groups of positions, such as those of near-duplicates. keep: an earlier split,
        whose images stay where they are, and draw their groups after them.
    Raises: UsageError for shares or groups that can't be, DataError where there are no images.
    """
    check_shares(shares)
    if not len(dataset):
        raise DataError(
            f"{dataset.name} can't be split.", "It has no images.", "Name a data set with images."
        )
    ids = dataset.truth.image_ids.tolist()
    keys = [str(key) for key in (ids if group_by is None else _groups(dataset, group_by))]
    units = _units(keys, together)
    order = np.array([hash_of(seed, min(keys[row] for row in rows)) for rows in units])
    fixed = _fixed_parts(units, list(shares), keep or {}, len(dataset))
    parts = (
        _balanced_parts(dataset, units, order, list(shares.values()), fixed)
        if stratify
        else _parts_by_hash(order, list(shares.values()), fixed)
    )
    rows_of_part: dict[str, list[int]] = {name: [] for name in shares}
    for part, rows in zip(parts, units, strict=True):
        rows_of_part[list(shares)[part]] += rows
    return {name: np.array(sorted(rows), np.int64) for name, rows in rows_of_part.items()}


def with_splits(dataset: Dataset, rows: Mapping[str, Sequence[int] | NDArray[np.int64]]) -> Dataset:
    """The data set with these splits in place of its own."""
    return replace(dataset, split_rows={name: np.array(members) for name, members in rows.items()})


def check_shares(shares: Mapping[str, float]) -> None:
    """Raises: UsageError for shares that are not above 0, or do not add up to 1."""
    failure = (
        f"Shares {', '.join(f'{name}={share:g}' for name, share in shares.items())} were given."
    )
    fix = "Write for example train=0.8, val=0.1, test=0.1"
    if not shares or not all(share > 0 for share in shares.values()):
        raise UsageError(failure if shares else "No shares were given.", "Each is above 0.", fix)
    total = sum(shares.values())
    if abs(total - 1) > 1e-6:
        raise UsageError(failure, f"They add up to {total:g}, and have to make 1.", fix)


def _units(keys: Sequence[str], together: Sequence[Sequence[int]]) -> list[list[int]]:
    """Images that stay together, as positions: those of one key, and of one group."""
    first: dict[str, int] = {}
    parent = [first.setdefault(key, row) for row, key in enumerate(keys)]
    for rows in together:
        tops = [_root_of(parent, row) for row in rows]
        for top in tops:
            parent[top] = min(tops)
    units: dict[int, list[int]] = {}
    for row in range(len(keys)):
        units.setdefault(_root_of(parent, row), []).append(row)
    return list(units.values())


def _root_of(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


def _groups(dataset: Dataset, group_by: str) -> Sequence[object]:
    """The group of each image. Raises: UsageError where that can't be had."""
    attributes = dataset.truth.image_attributes
    if group_by in attributes:
        values: list[object] = attributes[group_by].tolist()
        return values
    names = slashed_names(dataset.images)
    if group_by == FOLDER:
        return [os.path.dirname(name) for name in names]
    if "(" in group_by:
        return _matched_groups(names, group_by)
    suggestions = close_matches(group_by, [*attributes, FOLDER], most=1)
    names_known = ", ".join(attributes) or "(none)"
    case = f"Images have the attributes {names_known}; '{FOLDER}' is theirs, too."
    fix = (
        f"Did you mean {join_or(suggestions)}?"
        if suggestions
        else r"Or write a pattern: '(.*)_\d+'"
    )
    raise UsageError(f"Images can't be grouped by '{group_by}'.", case, fix)


def _matched_groups(names: Sequence[str], pattern: str) -> list[object]:
    failure = f"Images can't be grouped by '{pattern}'."
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(failure, f"It is not a pattern: {error}.", "Correct it.") from None
    if not expression.groups:
        raise UsageError(failure, "It has no group.", r"Put one in brackets: '(.*)_\d+'")
    matches = [expression.search(name) for name in names]
    if not any(matches):
        raise UsageError(failure, f"It is in no name, as in '{names[0]}'.", "Correct it.")
    return [match[1] if match else name for match, name in zip(matches, names, strict=True)]


def hash_of(seed: int, key: str) -> float:
    """A number from 0 to 1 that stands for a key, the same on every machine."""
    digest = hashlib.sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _fixed_parts(
    units: Sequence[Sequence[int]],
    names: Sequence[str],
    keep: Mapping[str, Sequence[int]],
    count: int,
) -> list[int]:
    """The part that each unit stays in, -1 where it is free. Raises: UsageError for other parts."""
    if unknown := [name for name in keep if name not in names and len(keep[name])]:
        case = f"The earlier split has a part '{unknown[0]}', and there is no share for it."
        raise UsageError(
            "An earlier split is kept.",
            case,
            f"Give {unknown[0]} a share, too, or name another folder.",
        )
    part = np.full(count, -1)
    for name, rows in keep.items():
        part[np.asarray(rows, np.int64)] = names.index(name) if name in names else -1
    splits = []
    for rows in units:
        indices = [index for index in part[list(rows)].tolist() if index >= 0]
        splits.append(max(set(indices), key=indices.count) if indices else -1)
    return splits


def _parts_by_hash(
    order: NDArray[np.float64], shares: Sequence[float], fixed: Sequence[int]
) -> list[int]:
    ends = np.cumsum(shares)[:-1]
    parts = np.searchsorted(ends, order, side="right").tolist()
    return [
        part if fixed_part < 0 else fixed_part
        for part, fixed_part in zip(parts, fixed, strict=True)
    ]


def _balanced_parts(
    dataset: Dataset,
    units: Sequence[Sequence[int]],
    order: NDArray[np.float64],
    shares: Sequence[float],
    fixed: Sequence[int],
) -> list[int]:
    """Rare classes first, each unit to the part that lacks most of its rarest class, and then of
    images: iterative stratification (Sechidis et al. 2011), in the order of hashes."""
    counts = _counts(dataset, units)
    sizes = np.array([len(rows) for rows in units], np.float64)
    lacking = np.outer(shares, counts.sum(axis=0))  # (parts, classes)
    room = np.array(shares) * sizes.sum()
    parts = list(fixed)
    for unit, part in enumerate(fixed):
        if part >= 0:
            lacking[part] -= counts[unit]
            room[part] -= sizes[unit]
    total = counts.sum(axis=0)
    scarce = np.where(counts > 0, total, np.inf).argmin(axis=1)  # (units,) its rarest class
    rarity = np.where((counts > 0).any(axis=1), total[scarce], np.inf)
    for unit in np.lexsort((order, scarce, rarity)).tolist():
        if parts[unit] >= 0:
            continue
        need = lacking[:, scarce[unit]] if np.isfinite(rarity[unit]) else room
        part = int(np.lexsort((-room, -need))[0])
        parts[unit] = part
        lacking[part] -= counts[unit]
        room[part] -= sizes[unit]
    return parts


def _counts(dataset: Dataset, units: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """(units, classes) images of a unit that have a class."""
    truth = dataset.truth
    present = np.zeros((len(dataset), len(dataset.label_space)))
    present[truth.images, truth.labels] = 1
    unit_of = np.empty(len(dataset), np.int64)
    for unit, rows in enumerate(units):
        unit_of[rows] = unit
    counts = np.zeros((len(units), present.shape[1]))
    np.add.at(counts, unit_of, present)
    return counts


@dataclass(frozen=True, eq=False)
class DrawnLists:
    """A data set whose splits are in lists. kept: how many images were in lists before. placed: how
    many were put into one."""

    dataset: Dataset
    kept: int
    placed: int


def draw_lists(
    dataset: Dataset,
    folder: Path,
    shares: Mapping[str, float],
    *,
    group_by: str | None = None,
    together: Sequence[Sequence[int]] = (),
    stratify: bool = False,
    seed: int = 0,
) -> DrawnLists:
    """Writes lists into a folder, and keeps to those that are there; the settings are those of
    `split_rows`.

    Raises: UsageError where all images are in lists, and these settings would draw others: nothing
        of what was asked would come about. As `split_rows`, `read_lists` and `write_lists`.
    """
    keep = read_lists(dataset, folder, missing_ok=True)

    def draw(earlier: Mapping[str, Sequence[int]]) -> Rows:
        return split_rows(
            dataset,
            shares,
            group_by=group_by,
            together=together,
            stratify=stratify,
            keep=earlier,
            seed=seed,
        )

    rows = draw(keep)
    before, after = _part_names(dataset, keep), _part_names(dataset, rows)
    lists = DrawnLists(
        with_splits(dataset, rows), sum(map(bool, before)), _count_different(before, after)
    )
    if lists.kept and not lists.placed:
        fresh = draw({})
        grown = (stratify or together) and _near(rows, shares, len(dataset))
        if _count_different(before, _part_names(dataset, fresh)) and not grown:
            raise _other_lists(folder, rows, fresh)
    if lists.placed or keep.keys() < rows.keys():
        write_lists(lists.dataset, folder)
    return lists


def _part_names(dataset: Dataset, rows: Mapping[str, Sequence[int] | NDArray[np.int64]]) -> Names:
    """The part of each image, or nothing; of one in several, the last."""
    names = [""] * len(dataset)
    for name, members in rows.items():
        for row in members:
            names[row] = name
    return names


def _count_different(first: Names, other: Names) -> int:
    return sum(name != name_now for name, name_now in zip(first, other, strict=True))


def _near(rows: Rows, shares: Mapping[str, float], count: int) -> bool:
    """Whether each part has about its share, as lists have that grew with their data."""
    room = max(1.0, NEAR * count)
    return all(abs(len(rows[name]) - share * count) <= room for name, share in shares.items())


def _other_lists(folder: Path, rows: Rows, fresh: Rows) -> UsageError:
    existing, others = (
        ", ".join(f"{len(members):,} in {name}" for name, members in parts.items())
        for parts in (rows, fresh)
    )
    case = (
        f"The lists that are there name every image already, {existing}, and are kept to. "
        f"With these settings, others would be drawn: {others}."
    )
    fix = f"Name another folder, as {free_place(folder)}, or remove the lists first."
    return UsageError(f"The images can't be drawn into the lists in '{folder}'.", case, fix)


def write_lists(dataset: Dataset, folder: Path) -> None:
    """Writes a list of the file names of each split, `train.txt`; `read` takes them back with
    `splits=FOLDER`. Raises: DataError where the disk says no."""
    names = names_below(dataset.images)
    with write_errors(folder, DataError, fix="Name a folder that can be written."):
        for split, rows in dataset.split_rows.items():
            write_file(folder / f"{split}.txt", list_text(names[row] for row in rows.tolist()))


def read_lists(dataset: Dataset, folder: Path, *, missing_ok: bool = False) -> dict[str, list[int]]:
    """The splits that lists in a folder name, as positions.

    missing_ok: without a list there are no splits.
    Raises: DataError where no list is, or one names an image that the data set does not have.
    """
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
    failure = f"The splits in '{folder}' can't be read."
    if not files and missing_ok:
        return {}
    if not files:
        raise DataError(failure, "No list is there.", "Make them: zoo data split DATA --to FOLDER")
    names = slashed_names(dataset.images)
    rows = {stem(name): row for row, name in enumerate(names)}
    rows |= {name: row for row, name in enumerate(names)}
    lists = {}
    for file in files:
        lists[file.stem], unknown = rows_in_list(read_list(file), rows)
        if unknown:
            case = f"{unknown:,} of the images in {file.name} are not in {dataset.name}."
            raise DataError(failure, case, "Name the data set that the lists are of.")
    return in_order(lists)
