"""A folder of COCO annotation files, one per split."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import DataError

SUFFIXES = (".json.gz", ".json")
# File names that say nothing: the folder's says more.
PLAIN = ("instances", "annotations", "_annotations.coco", "labels", "result")
INSTANCES = "instances_"  # COCO's own, next to captions and key points of the same images


def annotation_files(folder: Path) -> dict[str, Path]:
    """Split -> its annotation file, in three layouts, the first of them that is there.

    `instances_SPLIT.json`, here or in `annotations/`; `SPLIT/_annotations.coco.json` or another
    plain name; any other JSON files here, each a split.
    Raises: DataError for a folder that has none.
    """
    for place in (folder, folder / "annotations"):
        found = {stem_of(file): file for file in _files(place)}
        if own := {name: file for name, file in found.items() if name.startswith(INSTANCES)}:
            return {name.removeprefix(INSTANCES): file for name, file in own.items()}
    below: dict[str, Path] = {}
    for inner in sorted(folder.iterdir()):
        plain = [file for file in _files(inner) if stem_of(file) in PLAIN]
        if plain:
            below[inner.name] = plain[0]
    if found := below or {stem_of(file): file for file in _files(folder)}:
        return found
    raise DataError(
        f"{folder} can't be read.",
        "The folder has no annotation file.",
        "Name the file, or a folder with instances_train.json, instances_val.json.",
    )


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
