"""A folder of COCO annotation files, one per split."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from zoo.errors import DataError
from zoo.files import open_regular
from zoo.suggest import join_or

SUFFIXES = (".json.gz", ".json")
# File names that say nothing: the folder's says more.
PLAIN = ("instances", "annotations", "_annotations.coco", "labels", "result")
INSTANCES = "instances_"  # COCO's own, next to captions and key points of the same images
MOST_BESIDE = 8  # files next to a folder of images that are looked into

_KEYS = (b'"images"', b'"annotations"', b'"categories"')
_HEAD = 1 << 16  # bytes of a file that say what it is


def recognise(folder: Path) -> bool:
    """Whether a folder has annotation files; one without a telling name is looked into."""
    try:
        files = annotation_files(folder)
    except DataError:
        return False
    first = next(iter(files.values()))
    return _is_telling(first) or _is_coco(first)


def _is_telling(path: Path) -> bool:
    return path.name.startswith(INSTANCES) or stem_of(path) in PLAIN


def _is_coco(path: Path) -> bool:
    """Whether a file begins as COCO's do."""
    try:
        with open_regular(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            head = gzip.GzipFile(fileobj=file).read(_HEAD) if packed else file.read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return False
    return any(key in head for key in _KEYS)


def annotation_files(folder: Path) -> dict[str, Path]:
    """Split -> its annotation file, in four layouts, the first of them that is there.

    `instances_SPLIT.json`, here or in `annotations/`; `SPLIT/_annotations.coco.json` or another
    plain name; a plain name here; any other JSON files here, each a split.
    Raises: DataError for a folder that has none.
    """
    for place in (folder, folder / "annotations"):
        files = {stem_of(file): file for file in _files(place)}
        if own := {name: file for name, file in files.items() if name.startswith(INSTANCES)}:
            return {name.removeprefix(INSTANCES): file for name, file in own.items()}
    below: dict[str, Path] = {}
    for inner in sorted(folder.iterdir()):
        plain = [file for file in _files(inner) if stem_of(file) in PLAIN]
        if plain:
            below[inner.name] = plain[0]
    here = {stem_of(file): file for file in _files(folder)}
    plain_here = {name: file for name, file in here.items() if name in PLAIN}
    if files := below or plain_here or here:
        return files
    fix = "Name the file, or a folder with instances_train.json, instances_val.json."
    beside = _files(folder.parent)
    likely = list(filter(_is_telling, beside)) or list(filter(_is_coco, beside[:MOST_BESIDE]))
    if likely:
        fix = f"Did you mean {join_or([f'coco:{file}' for file in likely])}?"
    raise DataError(f"{folder} can't be read.", "The folder has no annotation file.", fix)


def stem_of(path: Path) -> str:
    """The file's name without `.json` or `.json.gz`."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        file
        for file in folder.iterdir()
        if file.name.lower().endswith(SUFFIXES) and not file.name.startswith(".")
    )
