"""Findings about a data set, and the mode in which readers collect them rather than stop at the
first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from zoo.errors import DataError

# Check -> whether it is an error or a warning, and what it finds.
CHECKS: dict[str, tuple[str, str]] = {
    "unreadable_annotations": ("error", "annotations that can't be read"),
    "missing_image": ("error", "images that are not there"),
    "unreadable_image": ("error", "images that can't be read"),
    "image_size": ("error", "images of another size than annotated"),
    "other_file_name": ("warning", "images that are named otherwise in their annotations"),
    "turned_image": ("warning", "images that EXIF turns"),
    "repeated_image": ("error", "images that are listed twice"),
    "unknown_image": ("error", "boxes of images that are not listed"),
    "unknown_class": ("error", "boxes of classes that are not declared"),
    "annotation_id": ("error", "annotation ids that are there twice"),
    "not_finite": ("error", "boxes that are not numbers"),
    "inverted": ("error", "boxes that end before they begin"),
    "fractions": ("error", "images whose boxes are in fractions"),
    "outside": ("error", "boxes outside their image"),
    "zero_area": ("error", "boxes with a side of at most one pixel"),
    "duplicate": ("warning", "boxes that are there twice"),
    "two_classes": ("warning", "boxes that have two classes"),
    "not_annotated": ("warning", "boxes that the model finds and nobody annotated"),
    "found_as_other_class": ("warning", "boxes that the model finds as another class"),
    "found_elsewhere": ("warning", "boxes that the model finds at another place"),
    "never_found": ("warning", "boxes that the model never finds"),
    "near_duplicate": ("warning", "pairs of images that look the same"),
    "leakage": ("error", "pairs of images that look the same in two splits"),
    "alike_classes": ("warning", "classes that are spelled alike"),
    "unused_class": ("warning", "classes without a box"),
    "rare_class": ("warning", "classes with few boxes"),
    "class_not_in_split": ("warning", "classes that a split lacks"),
}
REPORTED = -2  # the label of a box that a reader has reported, and that is dropped


def spelled_box(box: Iterable[float]) -> str:
    """`(10, 20.5, 30, 40)`, as messages and lists of changes have a box."""
    return f"({', '.join(f'{edge:g}' for edge in box)})"


def spelled_size(sides: Iterable[float]) -> str:
    """`640 x 480`."""
    return " x ".join(f"{side:g}" for side in sides)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    check:   a key of CHECKS. message: what is the case, as a sentence.
    image:   the file's name, or the id where there is no more. split: the image's, if it has one.
    box:     left, top, right, bottom as annotated. label: its class.
    score:   how certain a model is of it, where it is one that says so.
    """

    check: str
    message: str
    image: str | None = None
    split: str | None = None
    box: tuple[float, ...] | None = None
    label: str | None = None
    score: float | None = None

    @property
    def is_error(self) -> bool:
        """Whether it is an error rather than a warning."""
        return CHECKS[self.check][0] == "error"


_COLLECTED: ContextVar[list[Finding] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[list[Finding]]:
    """Within it, readers report records that can't be, leave them out or correct them, and go
    on."""
    findings: list[Finding] = []
    token = _COLLECTED.set(findings)
    try:
        yield findings
    finally:
        _COLLECTED.reset(token)


def current_findings() -> list[Finding] | None:
    """The findings so far, or None where a wrong record is an error."""
    return _COLLECTED.get()


def report_or_raise(check: str, error: DataError, image: str | None = None) -> None:
    """Reports an error where findings are collected. Raises: the error, elsewhere."""
    findings = current_findings()
    if findings is None:
        raise error
    findings.append(Finding(check, f"{error.failure} {error.case}", image))
