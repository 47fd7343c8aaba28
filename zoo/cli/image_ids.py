"""Image and category ids for a COCO results file: those of an annotations file, else the numbers in
file names and the model's categories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoo.data.values import whole
from zoo.errors import DataError, LabelError, UsageError
from zoo.images import Source
from zoo.images.read import is_url, name_of
from zoo.labels import LabelSpace, match_labels

NO_ANNOTATIONS_FIX = "Pass the data set's annotations: --coco-images instances.json"
OTHER_ANNOTATIONS_FIX = (
    "Pass the annotations of these images; their file_name is what images are found by."
)


@dataclass(frozen=True)
class ImageIds:
    """Ids and classes of an annotations file.

    by_name: image id by file name and by every ending of it (`val/1.jpg`, `1.jpg`), None for an
        ending that several images have; None without an annotations file.
    label_space: the classes with their category ids; None if unknown.
    """

    by_name: Mapping[str, int | None] | None
    label_space: LabelSpace | None = None

    @classmethod
    def read(cls, annotations: Path | None) -> ImageIds:
        """The ids of a COCO annotations file, or those in file names if there is none. Raises:
        DataError if the file is something else."""
        if annotations is None:
            return cls(None)
        images, label_space = _read(annotations)
        return cls(_endings(images), label_space)

    def check_classes(self, model: str, label_space: LabelSpace) -> None:
        """Raises: LabelError if the annotations have none of a model's classes."""
        if self.label_space is not None and not match_labels(label_space, self.label_space).pairs:
            raise LabelError(
                f"COCO results of {model} can't be written.",
                "The annotations have none of its classes: theirs are "
                f"{_first_names(self.label_space.names)}, its own "
                f"{_first_names(label_space.names)}.",
                "Choose a model for these classes, or leave out --coco-images.",
            )

    def check(self, images: Iterable[Source]) -> None:
        """Raises: UsageError naming the first image without an id, or the first two that share
        one."""
        owners: dict[int, str] = {}
        for name in map(name_of, images):
            image = self.of(name)
            if image in owners:
                case = f"'{owners[image]}' and '{name}' would both have the image id {image}."
                raise UsageError(
                    "COCO results can't be written.",
                    case,
                    NO_ANNOTATIONS_FIX if self.by_name is None else "Name one of them only.",
                )
            owners[image] = name

    def of(self, source: str) -> int:
        """The id of one image. Raises: UsageError if it has none."""
        path = PurePosixPath(
            source.partition("?")[0] if is_url(source) else Path(source).as_posix()
        )
        if self.by_name is None:
            if path.stem.isdecimal():
                return int(path.stem)
            raise _no_id(source, "Its name is not a number", NO_ANNOTATIONS_FIX)
        ending = next((name for name in _ends(str(path)) if name in self.by_name), None)
        if ending is None:
            raise _no_id(
                source, "The annotations have no image of that name", OTHER_ANNOTATIONS_FIX
            )
        if (image := self.by_name[ending]) is None:
            case = f"Several images of the annotations are called {ending}"
            raise _no_id(
                source,
                case,
                "Name images by more of their path, as in the annotations' file_name.",
            )
        return image


def _no_id(source: str, case: str, fix: str) -> UsageError:
    return UsageError(f"COCO results need the image id of '{source}'.", f"{case}.", fix)


def _first_names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _read(annotations: Path) -> tuple[dict[str, int], LabelSpace | None]:
    """Image ids by file name, and the classes if the file has categories."""
    from zoo.data.formats.coco.reader import space_of  # deferred: they import numpy
    from zoo.data.formats.coco.records import read_names
    from zoo.data.json_file import content

    try:
        ids, categories, used = read_names(content(annotations), str(annotations))
        label_space = space_of(categories, used, str(annotations))[0] if categories else None
    except DataError as error:
        fix = "Give a COCO annotations file, with images: [{id, file_name}, …]."
        raise DataError(f"Ids can't be read from '{annotations}'.", error.case, fix) from error
    images = {}
    for name, number in ids.items():
        if (image_id := whole(number)) is None:
            case = f"Image '{name}' has the id {number!r:.60}."
            fix = (
                "The ids of COCO results are whole numbers: leave out --coco-images, or number "
                "the images."
            )
            raise DataError(f"Ids can't be read from '{annotations}'.", case, fix)
        images[name] = image_id
    return images, label_space


def _endings(images: Mapping[str, int]) -> dict[str, int | None]:
    """The id for every ending of every file name; a whole name takes precedence over another
    name's ending."""
    ids_by_ending: dict[str, int | None] = {}
    for name, image in images.items():
        for end in _ends(name.replace("\\", "/")):  # programs on Windows write `\`
            ids_by_ending[end] = image if ids_by_ending.get(end, image) == image else None
    return {**ids_by_ending, **images}


def _ends(path: str) -> Iterator[str]:
    """`a/b/c.jpg`, `b/c.jpg`, `c.jpg`."""
    while path:
        yield path
        path = path.partition("/")[2]
