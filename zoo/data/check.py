"""All checks of a data set."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from zoo.data.box_checks import box_findings
from zoo.data.dataset import Dataset
from zoo.data.finding import CHECKS, Finding, collecting
from zoo.data.image_checks import file_findings, lookalikes
from zoo.data.image_records import files_of
from zoo.data.image_scan import ImageFacts, scan_images
from zoo.data.source import read
from zoo.errors import DataError
from zoo.suggest import check_choice

if TYPE_CHECKING:
    from zoo.detectors import Detector

Depth: TypeAlias = Literal["decode", "header", "none"]
_SIGNS = re.compile(r"[\W_]+")
MIN_BOXES_PER_CLASS = 10  # or a hundredth of those of the largest class


@dataclass(frozen=True, eq=False)
class Check:
    """The findings about a data set.

    dataset: as it can be read, without the records that can't be. facts: of its image files, or
        none of them.
    findings: by check, as in `zoo.data.finding.CHECKS`.
    """

    dataset: Dataset
    findings: tuple[Finding, ...]
    facts: tuple[ImageFacts, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Check -> how many findings it has, without those that have none."""
        counts = Counter(finding.check for finding in self.findings)
        return {check: counts[check] for check in CHECKS if counts[check]}

    @property
    def errors(self) -> int:
        """How many findings are errors rather than warnings."""
        return sum(finding.is_error for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        data = self.dataset
        return {
            "name": data.name,
            "images": len(data),
            "boxes": len(data.truth.labels),
            "classes": boxes_of_classes(data),
            "splits": {name: len(rows) for name, rows in data.split_rows.items()},
            "errors": self.errors,
            "counts": self.counts,
            "notes": list(data.notes),
            "findings": [asdict(finding) for finding in self.findings],
        }


def check(
    data: str | os.PathLike[str] | Dataset,
    *,
    images: Depth = "decode",
    model: str | Detector | None = None,
    show: bool | None = None,
) -> Check:
    """Finds what is wrong in a data set, or may be.

    images: each file is read as a whole, so that damaged ones and near-duplicates are found
        ("decode"); its header alone ("header"); or no file ("none").
    model:  by name or loaded; it says which labels it disagrees with, the most certain first. It
        reads all images.
    show:   a progress bar, as `zoo.progress.Bar` takes it.
    Raises: DataError where the annotations can't be read at all; single records that can't be are
        findings. As `zoo.load` for the model; LabelError where it has none of the classes.
    """
    check_choice("images", images, get_args(Depth))
    dataset, raised = _read(data)
    facts: list[ImageFacts] = []
    if images != "none":
        facts = scan_images(dataset.images, decode=images == "decode", show=show)
        raised += file_findings(dataset, facts)
        raised += lookalikes(dataset, facts)
    raised += box_findings(dataset)
    raised += class_findings(dataset)
    if model is not None:
        from zoo.data.model_checks import model_findings  # deferred: most checks are without

        raised += model_findings(dataset, model, show=show)
    order = list(CHECKS)
    findings = sorted(raised, key=lambda finding: order.index(finding.check))
    return Check(dataset, tuple(findings), tuple(facts))


def _read(data: str | os.PathLike[str] | Dataset) -> tuple[Dataset, list[Finding]]:
    """The data set, and what was wrong in it, by the names of files. Raises: DataError."""
    with collecting() as raised:
        try:
            dataset = read(data)
        except DataError as error:
            first = f"{raised[0].message} " if raised else ""
            raise DataError(error.failure, f"{first}{error.case}", error.fix) from None
    ids = map(str, dataset.truth.image_ids.tolist())
    names = dict(zip(ids, files_of(dataset.images), strict=True))
    return dataset, [
        replace(finding, image=names.get(finding.image or "", finding.image)) for finding in raised
    ]


def boxes_of_classes(dataset: Dataset) -> dict[str, int]:
    """The number of boxes of each class."""
    counts = np.bincount(dataset.truth.labels, minlength=len(dataset.label_space))
    return dict(zip(dataset.label_space.names, counts.tolist(), strict=True))


def _alike(counts: Mapping[str, int]) -> list[Finding]:
    """Classes whose names differ in case, spaces and signs alone."""
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault(_SIGNS.sub("", name.casefold()) or name, []).append(name)
    findings = []
    for names in (names for names in alike.values() if len(names) > 1):
        numbers = " and ".join(f"'{name}' ({counts[name]:,})" for name in names)
        message = f"{numbers} may be one class, spelled in {len(names)} ways."
        findings.append(Finding("alike_classes", message, label=names[0]))
    return findings


def class_findings(dataset: Dataset) -> list[Finding]:
    """Classes that are spelled alike, without boxes, with few, and without any in a split."""
    counts = boxes_of_classes(dataset)
    most = max(counts.values())
    findings = _alike(counts)
    for name, count in counts.items():
        if not count:
            findings.append(Finding("unused_class", f"No box is a {name}.", label=name))
        elif count < MIN_BOXES_PER_CLASS or count * 100 < most:
            message = f"{count:,} of {sum(counts.values()):,} boxes are of {name}."
            findings.append(Finding("rare_class", message, label=name))
    for split, part in dataset.splits.items():
        lacking = [name for name, count in boxes_of_classes(part).items() if not count]
        for name in lacking:
            if counts[name]:
                message = f"The split {split} has no box of {name}."
                findings.append(Finding("class_not_in_split", message, None, split, None, name))
    return findings
