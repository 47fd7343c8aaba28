"""Files of images that are not what the annotations say, and images that look the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from zoo.data.box_checks import split_names
from zoo.data.dataset import Dataset
from zoo.data.finding import Finding, spelled_size
from zoo.data.image_records import files_of
from zoo.data.image_scan import ImageFacts
from zoo.data.near_duplicates import near_duplicates

Frame = Literal["upright", "stored", "unknown"]


def file_findings(dataset: Dataset, facts: Sequence[ImageFacts]) -> list[Finding]:
    """Missing and unreadable images, sizes that disagree, and images that EXIF turns."""
    names, splits = files_of(dataset.images), split_names(dataset)
    findings = []
    for row, fact in enumerate(facts):
        for check, message in _flaws(fact, dataset.sizes[row].tolist()):
            findings.append(Finding(check, message, names[row], splits[row]))
    return findings


def _flaws(facts: ImageFacts, annotated: list[float]) -> list[tuple[str, str]]:
    if facts.flaw == "missing":
        return [("missing_image", "There is no such file.")]
    if facts.flaw:
        return [("unreadable_image", f"{facts.flaw.rstrip('.')}.")]
    flaws = []
    if facts.orientation != 1:
        frame = {
            "upright": "its boxes are of the turned image, as it is shown",
            "stored": "its boxes are of the image as it is stored, before it is turned",
            "unknown": "nothing says whether its boxes are of the turned image",
        }[frame_of(facts, annotated)]
        flaws.append(("turned_image", f"EXIF orientation {facts.orientation}: {frame}."))
    if not np.isnan(annotated).any() and tuple(annotated) not in (facts.size, facts.upright):
        annotated_size, file_size = spelled_size(annotated), spelled_size(facts.upright)
        flaws.append(
            ("image_size", f"It has {file_size} pixels, and its annotations say {annotated_size}.")
        )
    return flaws


def frame_of(facts: ImageFacts, annotated: Sequence[float]) -> Frame:
    """The frame that boxes are in, as far as the annotated size says."""
    if facts.size == facts.upright:
        return "unknown"
    if tuple(annotated) == facts.upright:
        return "upright"
    return "stored" if tuple(annotated) == facts.size else "unknown"


def lookalikes(dataset: Dataset, facts: Sequence[ImageFacts]) -> list[Finding]:
    """Pairs of images that look the same, in one split or in two."""
    rows = [row for row, fact in enumerate(facts) if fact.fields is not None]
    if not rows:
        return []
    fields = np.stack([fact.fields for fact in facts if fact.fields is not None])
    names, splits = files_of(dataset.images), split_names(dataset)
    findings = []
    for pair in near_duplicates(fields):
        first, second = rows[pair[0]], rows[pair[1]]
        apart = splits[first] != splits[second]
        where = f" of {splits[first]}" if splits[first] and apart else ""
        message = f"It looks like {names[first]}{where}."
        check = "leakage" if apart else "near_duplicate"
        findings.append(Finding(check, message, names[second], splits[second]))
    return findings


def leaks(
    dataset: Dataset,
    facts: Sequence[ImageFacts],
    *,
    without: Collection[int] = (),
    doubted: Collection[int] = (),
) -> dict[int, int]:
    """Row -> row of the image that it looks like, in another split: what to leave out so that no
    pair is left. Images that are measured stay: those of test, then of val, then of other splits,
    then of train; images of no split go first.

    without: rows that are left out anyway. doubted: rows that go before any that is not.
    """
    usable = {row: fact.fields for row, fact in enumerate(facts) if row not in without}
    fields_of = {row: fields for row, fields in usable.items() if fields is not None}
    if not fields_of:
        return {}
    rows, fields = list(fields_of), np.stack(list(fields_of.values()))
    splits = split_names(dataset)
    out: dict[int, int] = {}
    for pair in sorted(near_duplicates(fields), key=lambda pair: pair[::-1]):
        first, second = rows[pair[0]], rows[pair[1]]
        if splits[first] == splits[second] or first in out or second in out:
            continue
        worth = [(row not in doubted, _worth(splits[row])) for row in (first, second)]
        stays, goes = (second, first) if worth[1] > worth[0] else (first, second)
        out[goes] = stays
    return out


def _worth(split: str | None) -> int:
    """How much a split is in need of its images: what is measured is comparable no more."""
    if split is None:
        return 0
    return {"train": 1, "val": 3, "valid": 3, "validation": 3, "test": 4}.get(split, 2)
