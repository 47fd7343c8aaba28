"""Folders of VOC files to a data set; a wrong file is named."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.assemble import Found
from zoo.data.dataset import Dataset
from zoo.data.finding import REPORTED, Finding, current_findings, report_or_raise
from zoo.data.formats.voc.documents import Documents, read_documents
from zoo.data.formats.voc.options import Origin, VocOptions
from zoo.data.image_files import ImageFolder, slashes, stem, walk
from zoo.data.split_lists import in_order, read_list, rows_in_list, splits_by_folder
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.labels.space import tidy
from zoo.suggest import close_matches, join_or
from zoo.text import is_are, pluralize

ANNOTATIONS = "Annotations"
IMAGE_SETS = "ImageSets"
LABELS = "labels.txt"  # the classes in order, one a line; VOC itself has no such file
ROUNDING = 1e-6  # pixels that adding and taking 1 may cost
_IMAGES = ("jpegimages", "images")
_SUFFIX = (".xml",)


def recognise(folder: Path) -> bool:
    """Whether a folder has VOC files, or one of its folders has them in `Annotations`."""
    return _root(folder) is not None


def read(path: Path, options: VocOptions) -> Dataset:
    """The data set of a folder of XML files, with the splits that `ImageSets` or its folders name.

    An image's id is its XML's name without suffix, in the folder of the annotations. Classes are
    those of `labels.txt`, in its order; without such a file those of the boxes, sorted.
    Raises: DataError naming the file, or the split that there is not.
    """
    root = _root(path) if path.is_dir() else None
    if root is None:
        case = "No XML file is in it." if path.is_dir() else "It is not a folder."
        fix = "Name the folder that has Annotations and JPEGImages in it."
        raise DataError(f"{path} can't be read as VOC.", case, fix)
    home = _below(root, (ANNOTATIONS.lower(),)) or root
    documents = read_documents(home, _last_of_each(walk(home, _SUFFIX)))
    ids = [stem(name) for name in documents.names]
    folder = options.images or _below(root, _IMAGES) or root
    files, notes = _files(ids, documents, folder)
    splits, missing = _splits(root, ids, [stem(name) for name in documents.unread])
    space, labels = _labels(root, documents)
    boxes, origin_notes = _boxes(documents, options.origin)
    parts = Found(
        name=options.name or root.absolute().name,
        label_space=space,
        ids=ids,
        files=files,
        sizes=documents.sizes,
        rows=np.repeat(np.arange(len(ids)), documents.counts),
        boxes={"label": labels, "box": boxes} | documents.flags,
        box_format="xyxy",
        annotations=home,
        folder=folder,
        splits=splits,
        notes=[*notes, *missing, *origin_notes],
    )
    data = parts.dataset()
    return data if options.split is None else data.splits[options.split]


def _last_of_each(names: Sequence[str]) -> list[str]:
    """The files of which no later one has the same name in another case of its suffix."""
    return list({stem(name): name for name in names}.values())


def _root(path: Path) -> Path | None:
    """The folder itself, or the only one in it that has `Annotations`, as in a VOCdevkit."""
    if not path.is_dir():
        return None
    home = _below(path, (ANNOTATIONS.lower(),))
    if walk(home or path, _SUFFIX) and (home or _has_files(path)):
        return path
    inner = [place for place in sorted(path.iterdir()) if place.is_dir() and _own(place)]
    return inner[0] if len(inner) == 1 else None


def _own(folder: Path) -> bool:
    home = _below(folder, (ANNOTATIONS.lower(),))
    return home is not None and bool(walk(home, _SUFFIX))


def _has_files(path: Path) -> bool:
    """Whether XML files are in it, or in a folder in it that holds nothing else than images."""
    places = [path, *(place for place in path.iterdir() if place.is_dir())]
    return any(
        name.lower().endswith(_SUFFIX) and not name.startswith(".")
        for place in places
        for name in os.listdir(place)
    )


def _below(folder: Path, names: Sequence[str]) -> Path | None:
    """The folder in it of the first of these names that is there, in any case."""
    inner = {place.name.lower(): place for place in sorted(folder.iterdir()) if place.is_dir()}
    return next((inner[name] for name in names if name in inner), None)


def _files(ids: Sequence[str], documents: Documents, folder: Path) -> tuple[list[str], list[str]]:
    """The name of each image's file in the folder, and notes on those that are named otherwise."""
    if not folder.is_dir():
        raise DataError(
            f"The images of {len(ids):,} VOC files were needed.",
            f"'{folder}' is not a folder.",
            "Name the folder of the images: images=FOLDER",
        )
    images = ImageFolder(folder)
    files, doubtful = [], []
    for name, filename in zip(ids, documents.filenames, strict=True):
        file, sure = _file(name, filename, images)
        files.append(file)
        if not sure:
            doubtful.append(name)
        _report_name(name, filename, file, images)
    notes = []
    if doubtful:
        many = pluralize(len(doubtful), "file names", "files name")
        notes.append(
            f"{many} another image in <filename> that is there, too; the one with the XML's own "
            f"name is taken: {', '.join(doubtful[:3])}."
        )
    return files, notes + _left_out(images, set(files), documents)


def _left_out(images: ImageFolder, used: Set[str], documents: Documents) -> list[str]:
    """Notes on the images of which nothing is read: their XML can't be, or there is none."""
    unreadable = {file for name in documents.unread for file in images.with_stem(stem(name))} - used
    notes = []
    if unreadable:
        many = pluralize(len(unreadable), "image has", "images have")
        notes.append(f"{many} an XML that can't be read, and {is_are(len(unreadable))} left out.")
    if left := len(set(images.files) - used - unreadable):
        many = pluralize(left, "image has", "images have")
        notes.append(f"{many} no XML, and {is_are(left)} left out.")
    return notes


def _report_name(name: str, filename: str, file: str, images: ImageFolder) -> None:
    """Reports an XML that names an image which is not there, while one with its own name is."""
    findings = current_findings()
    if findings is None or not filename or file not in images.with_stem(name):
        return
    called = stem(slashes(filename)).rpartition("/")[2].lower()
    if called == name.rpartition("/")[2].lower():  # at most its suffix is another one
        return
    if images.find(filename, near=name.rpartition("/")[0]) is None:
        message = f"Its XML names {filename!r:.80}, which is not there; {file} is taken."
        findings.append(Finding("other_file_name", message, file))


def _file(name: str, filename: str, images: ImageFolder) -> tuple[str, bool]:
    """The image of one XML: the one with the XML's name, else the one that it names; and whether
    there was no choice."""
    near = name.rpartition("/")[0]
    named = images.find(filename, near=near) if filename else None
    own = images.with_stem(name)
    if named is not None and (named in own or not own):
        return named, True
    if own:
        return own[0], named is None
    bare = filename.replace("\\", "/").rpartition("/")[2] or f"{name.rpartition('/')[2]}.jpg"
    return f"{near}/{bare}" if near else bare, True


def _splits(
    root: Path, ids: Sequence[str], unread: Sequence[str]
) -> tuple[dict[str, list[int]], list[str]]:
    """The splits of `ImageSets/Main`, or of folders, and notes on what they name in vain. unread:
    the ids of images whose XML can't be read."""
    sets = _below(root, (IMAGE_SETS.lower(),))
    if sets is None:
        return splits_by_folder(ids), []
    rows = {name: row for row, name in enumerate([*ids, *unread])}
    splits, notes = {}, []
    for path in sorted((_below(sets, ("main",)) or sets).glob("*.txt")):
        lines = read_list(path)
        if any(line.rpartition(" ")[2] in ("1", "-1", "0") and " " in line for line in lines):
            continue  # of one class: each image with 1, 0 or -1 behind it
        members, unknown = rows_in_list(lines, rows)
        splits[path.stem] = [row for row in members if row < len(ids)]
        unreadable = len(members) - len(splits[path.stem])
        for count, fault in ((unreadable, "whose XML can't be read"), (unknown, "without XML")):
            many = f"{pluralize(count, 'image')} {fault}, which {is_are(count)} left out"
            if count:
                notes.append(f"The split {path.stem} names {many}.")
    return in_order(_without_unions(splits)), notes


def _without_unions(splits: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Without `trainval` where it is train and val together: an image is in one split."""
    both = {*splits.get("train", []), *splits.get("val", [])}
    return {name: rows for name, rows in splits.items() if name != "trainval" or set(rows) != both}


def _labels(root: Path, documents: Documents) -> tuple[LabelSpace, NDArray[np.int64]]:
    """The classes, and the label of each box. Raises: DataError for a class that is not listed."""
    names = [tidy(name) for name in documents.classes]
    path = root / LABELS
    listed = [tidy(name) for name in read_list(path)] if path.is_file() else sorted(set(names))
    if not listed:
        case = "No XML has an object, so that nothing says what the classes are."
        raise DataError(f"{root} can't be read.", case, f"List them in {path}, one a line.")
    label_of = {name: label for label, name in enumerate(listed)}
    place = np.array([label_of.get(name, REPORTED) for name in names], np.int64)
    labels = place[documents.labels]
    for unknown in sorted(set(names) - label_of.keys()):
        suggestions = close_matches(unknown, listed, most=1)
        fix = f"Did you mean {join_or(suggestions)}?" if suggestions else f"Add it to {path}."
        case = f"The class '{unknown}' is not in {path.name}, which has {', '.join(listed[:9])}."
        error = DataError(f"{root} was read.", case, fix)
        own = [label for label, name in enumerate(names) if name == unknown]
        for _ in range(int(np.isin(documents.labels, own).sum())):
            report_or_raise("unknown_class", error)
    return LabelSpace.custom(listed), labels


def _boxes(documents: Documents, origin: Origin) -> tuple[NDArray[np.float64], list[str]]:
    """(n, 4) xyxy from the image's edge, and a note where pixels are counted from 0."""
    corners = documents.corners.copy()
    if origin == "auto":
        each = np.repeat(documents.origins, documents.counts)
        silent = (documents.origins < 0) & _have_fractions(documents)
        fractions = np.repeat(silent, documents.counts)
        early = (corners[:, :2] < 1).any(1) & (each < 0) & ~fractions
        shift = np.where(each < 0, 0 if early.any() else 1, each) * ~fractions
    else:
        early = np.zeros(len(corners), bool)
        shift = np.full(len(corners), int(origin))
    corners[:, :2] -= shift[:, None]
    below = corners[:, 2:] - corners[:, :2]
    rounded = (below < 0) & (below > -ROUNDING)
    corners[:, 2:] = np.where(rounded, corners[:, :2], corners[:, 2:])
    if not early.any():
        return corners, []
    many = pluralize(int(early.sum()), "box begins", "boxes begin")
    note = f"{many} before pixel 1, so that all coordinates are taken from 0; else: origin=1."
    return corners, [note]


def _have_fractions(documents: Documents) -> NDArray[np.bool_]:
    """(m,) files whose boxes are fractions of the image, which say nothing of how pixels are
    counted."""
    owner = np.repeat(np.arange(len(documents.counts)), documents.counts)
    outside = np.zeros(len(documents.counts), bool)
    outside[owner[(documents.corners > 1).any(axis=1)]] = True
    fractional = np.zeros(len(documents.counts), bool)
    fractional[owner[(documents.corners % 1 != 0).any(axis=1)]] = True
    return fractional & ~outside
