"""A report: everything that was measured of one model on one data set, as data that travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from zoo.errors import DataError
from zoo.evaluate.calibration import Calibration
from zoo.evaluate.confusion import Confusion
from zoo.evaluate.intervals import Interval
from zoo.evaluate.lrp import LRP
from zoo.evaluate.operating import OperatingPoint
from zoo.evaluate.policy import Policy
from zoo.evaluate.settings import Settings
from zoo.evaluate.tide import Mistakes

FORMAT = 1


@dataclass(frozen=True)
class ClassReport:
    """One class. Numbers are None where they are not defined, above all where the data set has no box of it.

    boxes, detections: how many there are. ap, ap50, ap75, recall: as the headline numbers, of this class alone.
    interval: of `ap`. precision: at IoU .5, at evenly spaced recalls from 0 to 1.
    """

    boxes: int
    detections: int
    ap: float | None
    ap50: float | None
    ap75: float | None
    recall: float | None
    interval: Interval | None
    precision: tuple[float, ...] | None
    operating: OperatingPoint | None
    lrp: LRP | None


@dataclass(frozen=True)
class Analyses:
    """What is read off the matching at IoU .5.

    operating: the one threshold for all classes with the best F1; the confusion is taken there. lrp: the mean over classes.
    """

    operating: OperatingPoint | None
    mistakes: Mistakes
    lrp: float | None
    calibration: Calibration | None
    confusion: Confusion | None


@dataclass(frozen=True)
class Measured:
    """On what the numbers were measured.

    data: the data set's name. sha256: fingerprint of its annotations. pictures: fingerprint of the images that count.
    unmet: detections left out because the data set has no such class, by class name.
    missing: classes of the data set that the model does not know; it scores 0 there, and the means hold that.
    """

    data: str
    sha256: str
    pictures: str
    images: int
    boxes: int
    detections: int
    unmet: dict[str, int]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resamplings:
    """The headline numbers in each bootstrap replicate, None where not defined; kept so that two models can be compared."""

    seed: int
    numbers: dict[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class Report:
    """Measured numbers of one model on one data set.

    numbers:    headline numbers by name (AP, AP50 … ARl), None where one is not defined.
    intervals:  of the headline numbers, by bootstrap; empty where none was asked for.
    per_class:  by class name.
    curves:     mean precision over classes at evenly spaced recalls, by name: AP (mean over IoUs), AP50, AP75.
    provenance: what the numbers are of, as `zoo.evaluate.provenance` lists; `zoo.evaluate` fills it in.
    """

    numbers: dict[str, float | None]
    intervals: dict[str, Interval]
    per_class: dict[str, ClassReport]
    curves: dict[str, tuple[float, ...]]
    analyses: Analyses | None
    measured: Measured
    settings: Settings
    policy: Policy
    resamplings: Resamplings | None = None
    provenance: dict[str, str] | None = None
    format: int = FORMAT

    def __getitem__(self, name: str) -> float | None:
        """A headline number by name. Raises: DataError for a name that it does not have."""
        if name not in self.numbers:
            raise DataError(
                f"The number '{name}' was asked for.", f"This report has {', '.join(self.numbers)}.", "Ask for one of them."
            )
        return self.numbers[name]

    @property
    def ap(self) -> float | None:
        """Mean AP over classes and IoUs: the number that COCO ranks by."""
        return self["AP"]

    @property
    def ap50(self) -> float | None:
        """AP at IoU .5, the number of Pascal VOC."""
        return self["AP50"]

    @property
    def ap75(self) -> float | None:
        """AP at IoU .75."""
        return self["AP75"]

    def interval(self, name: str) -> Interval | None:
        """The bootstrap interval of a headline number; None where it has none."""
        _ = self[name]
        return self.intervals.get(name)

    def with_provenance(self, facts: Mapping[str, str]) -> Report:
        """The same numbers, and what they are of."""
        return replace(self, provenance={**(self.provenance or {}), **facts})

    def to_json(self) -> str:
        """The report as JSON; None stands for what is not defined."""
        return msgspec.json.encode(self, order="sorted").decode()

    @classmethod
    def from_json(cls, text: str | bytes, *, name: str = "a report") -> Report:
        """Raises: DataError naming the field that is wrong."""
        try:
            made = msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as why:
            raise DataError(f"{name} was read.", f"{why}.", "Make it again with this version.") from None
        if made.format != FORMAT:
            raise DataError(
                f"{name} was read.", f"It is of format {made.format}, not {FORMAT}.", "Make it again with this version."
            )
        return made

    def write(self, path: str | Path) -> None:
        """Stores the report. Raises: DataError where nobody has said what its numbers are of."""
        if not self.provenance:
            raise DataError(
                f"A report was to be written to {path}.",
                "Nothing says what its numbers are of: a number without provenance is not stored.",
                "Write report.with_provenance({'model': …, 'weights': …}) instead.",
            )
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Report:
        """Raises: DataError naming the file and the field that is wrong."""
        try:
            content = Path(path).read_bytes()
        except OSError as why:
            raise DataError(f"{path} was to be read.", f"That failed: {why}.", "Check the path.") from None
        return cls.from_json(content, name=str(path))
