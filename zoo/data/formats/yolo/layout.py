"""The images of a YOLO data set, its splits, and the file of labels that each image has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.data.formats.yolo.description import Description
from zoo.data.image_files import ImageFolder, slashes, stem, walk
from zoo.data.split_lists import in_order, read_list, splits_by_folder
from zoo.errors import DataError
from zoo.paths import IMAGE_SUFFIXES

IMAGES, LABELS = "images", "labels"
TEXT = (".txt",)


@dataclass
class Layout:
    """The folder of the images, their names in it, and the splits as positions of them.

    missing: how many images of lists are not there.
    """

    folder: Path
    files: list[str]
    splits: dict[str, list[int]] = field(default_factory=dict)
    missing: int = 0


def layout_of(description: Description, images: Path | None) -> Layout:
    """The images of a data set: all below `images`, or those that its splits name.

    Raises: DataError for a folder or list that is not there.
    """
    root = description.root
    folder = images or (root / IMAGES if (root / IMAGES).is_dir() else root)
    if not folder.is_dir():
        raise _missing_images(root, f"'{folder}' is not a folder.")
    places = {
        split: [_place(root, folder, place) for place in places_of_split]
        for split, places_of_split in description.splits.items()
    }
    if images is None and not all(
        place == folder or folder in place.parents
        for places_of_split in places.values()
        for place in places_of_split
        if place.is_dir()
    ):
        folder = root  # as in train/images and valid/images
    image_folder = ImageFolder(folder)
    if not places:
        return Layout(folder, image_folder.files, splits_by_folder(image_folder.files))
    return _by_splits(image_folder, places)


def _by_splits(image_folder: ImageFolder, places: Mapping[str, Sequence[Path]]) -> Layout:
    rows: dict[str, int] = {}
    layout = Layout(image_folder.folder, [])
    existing = set(image_folder.files)
    for split, places_of_split in places.items():
        names: list[str] = []
        for place in places_of_split:
            names += (
                _in_folder(image_folder, place) if place.is_dir() else _in_list(image_folder, place)
            )
        for name in dict.fromkeys(names):
            if name not in rows:
                rows[name] = len(rows)
                layout.missing += name not in existing
            layout.splits.setdefault(split, []).append(rows[name])
    layout.files = list(rows)
    layout.splits = in_order(layout.splits)
    return layout


def _place(root: Path, folder: Path, place: str) -> Path:
    """A folder or list that the description names. Raises: DataError where there is neither."""
    plain = slashes(place)
    candidates = [root / place, root / plain]
    if f"{IMAGES}/" in f"{plain}/":  # the folder of images is another one than it says
        tail = f"{plain}/".rpartition(f"{IMAGES}/")[2].strip("/")
        candidates.append(folder / tail)
    for path in candidates:
        if path.exists():
            return path
    raise _missing_images(root, f"'{place}' is not there.")


def _in_folder(image_folder: ImageFolder, place: Path) -> list[str]:
    """The images below a folder, by their names in the folder of all."""
    top = image_folder.folder.resolve()
    inner = place.resolve()
    if not inner.is_relative_to(top):
        raise _missing_images(image_folder.folder, f"'{place}' is not in it.")
    below = inner.relative_to(top).as_posix()
    prefix = "" if below == "." else f"{below}/"
    return [prefix + name for name in walk(place, IMAGE_SUFFIXES)]


def _in_list(image_folder: ImageFolder, path: Path) -> list[str]:
    """The images that a list names; those that are not there keep their names."""
    names = []
    for line in read_list(path):
        name = image_folder.find(line)
        plain = slashes(line)
        names.append(name or (plain.removeprefix(f"{IMAGES}/")))
    return names


def label_files(layout: Layout, root: Path) -> tuple[list[Path | None], list[str]]:
    """The file of labels of each image, None where there is none, and the files of labels of no
    image.

    It is in `labels` where the image is in `images`, or next to the image.
    """
    inside = layout.folder != root
    home = root / LABELS if inside and (root / LABELS).is_dir() else layout.folder
    texts = {stem(name).lower(): name for name in walk(home, TEXT)}
    files: list[Path | None] = []
    used: set[str] = set()
    for name in layout.files:
        key = next((key for key in _keys(name) if key in texts), None)
        files.append(None if key is None else home / texts[key])
        used |= {key} if key is not None else set()
    left = [name for key, name in texts.items() if key not in used and _is_label(name, home)]
    return files, left


def _keys(name: str) -> Iterable[str]:
    """The names that an image's labels may have, without suffix."""
    plain = stem(name).lower()
    if f"/{IMAGES}/" in f"/{plain}":
        before, _, after = f"/{plain}".rpartition(f"/{IMAGES}/")
        yield f"{before}/{LABELS}/{after}".strip("/")
    yield plain


def _is_label(name: str, home: Path) -> bool:
    """Whether a text file is one of labels rather than a list or a read-me."""
    return home.name == LABELS or f"/{LABELS}/" in f"/{name}"


def _missing_images(root: Path, case: str) -> DataError:
    fix = "Correct data.yaml, or say which folder holds the images: images=FOLDER"
    return DataError(f"{root} can't be read as YOLO.", case, fix)
