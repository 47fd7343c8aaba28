"""A report: everything that was measured of one model on one data set, as data that travels as
JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from zoo import limits
from zoo.errors import DataError, UsageError
from zoo.evaluate.analyses.calibration import Calibration
from zoo.evaluate.analyses.confusion import Confusion
from zoo.evaluate.analyses.lrp import LRP
from zoo.evaluate.analyses.operating_point import OperatingPoint
from zoo.evaluate.analyses.tide import Mistakes
from zoo.evaluate.deferred import deferred_field, is_deferred, replace_lazily
from zoo.evaluate.intervals import Interval
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.settings import CocoSettings
from zoo.files import write_errors, write_file
from zoo.suggest import close_matches, join_or
from zoo.text import join_first, pluralize

REPORT_FORMAT = 1
_Value = TypeVar("_Value")
MAKE_AGAIN = "Copy the file again, or make it again with zoo evaluate --json."
_NO_CHOICE = re.compile(r"Invalid enum value (.+?)(?: - at `(.*)`)?$")


class ByName(dict[str, _Value]):
    """A dictionary whose error for a missing name lists the names that it has."""

    def __missing__(self, name: object) -> _Value:
        alike = close_matches(name, self) if isinstance(name, str) else []
        some = join_first(list(self), 12)
        raise DataError(
            f"A report has no {name!r}.",
            f"There is none; there are {some}." if self else "There is nothing by any name.",
            f"Did you mean {join_or(alike)}?" if alike else "Ask for one of them.",
        )


@dataclass(frozen=True)
class ClassReport:
    """One class. Numbers are None where they are not defined, above all where the data set has no
    box of it.

    boxes, detections: how many there are. ap, ap50, ap75, recall: as the headline numbers, of this
        class alone.
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


@dataclass(frozen=True, repr=False)
class Analyses:
    """Analyses read off the matching at IoU .5.

    operating: the one threshold for all classes with the best F1; the confusion is taken there.
        lrp: the mean over classes.
    """

    operating: OperatingPoint | None
    mistakes: Mistakes
    lrp: float | None
    calibration: Calibration | None
    confusion: Confusion | None

    def __repr__(self) -> str:
        mistakes = ", ".join(
            f"{kind} {mistake.cost:.3f}" for kind, mistake in self.mistakes.kinds.items()
        )
        parts = {
            "operating": self.operating,
            "mistakes": f"<AP they cost: {mistakes}>",
            "lrp": "None" if self.lrp is None else f"{self.lrp:.3f}",
            "calibration": self.calibration,
            "confusion": self.confusion,
        }
        return f"Analyses({', '.join(f'{name}={part}' for name, part in parts.items())})"


@dataclass(frozen=True)
class Measured:
    """On what the numbers were measured.

    data: the data set's name. sha256: fingerprint of its annotations. image_ids_sha256: of the
        ids of the images that count.
    unmet: detections left out because the data set has no such class, by class name.
    missing: classes of the data set that the model does not know; it scores 0 in those that have
        boxes, and the means hold that.
    notes:   what a reader should know of the data and the detections, a sentence or two each; the
        numbers are exact all the same.
    """

    data: str
    sha256: str
    image_ids_sha256: str
    images: int
    boxes: int
    detections: int
    unmet: dict[str, int]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resamplings:
    """The headline numbers in each bootstrap replicate, None where not defined; kept so that two
    models can be compared."""

    seed: int
    numbers: dict[str, tuple[float | None, ...]]


@dataclass(frozen=True, repr=False, kw_only=True)
class Report:
    """Measured numbers of one model on one data set; `print` shows the headline numbers.

    numbers:    headline numbers by name (AP, AP50 … ARl), None where one is not defined.
    intervals:  of the headline numbers, by bootstrap; empty without resamples.
    per_class:  by class name.
    curves:     mean precision over classes at evenly spaced recalls, by name: AP (mean over IoUs),
        AP50, AP75.
    provenance: what the numbers are of, as `zoo.evaluate.predictions.provenance` lists;
        `zoo.evaluate` fills it in.

    Without resamples, `per_class` and `analyses` are computed when they are first read, stored or
    compared.
    """

    numbers: dict[str, float | None]
    intervals: dict[str, Interval]
    per_class: dict[str, ClassReport] = deferred_field()
    curves: dict[str, tuple[float, ...]]
    analyses: Analyses | None = deferred_field()
    measured: Measured
    settings: CocoSettings
    policy: EdgeCasePolicy
    resamplings: Resamplings | None = None
    provenance: dict[str, str] | None = None
    format: int = REPORT_FORMAT

    def __post_init__(self) -> None:
        for name in ("numbers", "intervals", "per_class", "curves"):
            if not is_deferred(self, name):
                object.__setattr__(self, name, ByName(getattr(self, name)))

    def __getstate__(self) -> dict[str, Any]:
        """Every field, computed: a pickle can't hold a function."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __getitem__(self, name: str) -> float | None:
        """A headline number by name. Raises: DataError for a name that it does not have."""
        return self.numbers[name]

    def __repr__(self) -> str:
        """One line: what it is of, and AP."""
        ap = f", AP {_three_decimals(self.numbers['AP'])}" if "AP" in self.numbers else ""
        return f"Report({self._title()}{ap})"

    def __str__(self) -> str:
        """The headline numbers with their intervals, a line each, and the notes."""
        wide = max(map(len, self.numbers), default=0)
        lines = [
            f"{self._title()}: {pluralize(self.measured.images, 'image')}, "
            f"{pluralize(self.measured.boxes, 'box', 'boxes')}"
        ]
        for name, value in self.numbers.items():
            interval = f"  ({bounds})" if (bounds := self.intervals.get(name)) else ""
            lines.append(f"{name:<{wide}}  {_three_decimals(value)}{interval}")
        return "\n".join([*lines, *self.measured.notes])

    def _title(self) -> str:
        return f"{(self.provenance or {}).get('model', 'a model')} on {self.measured.data}"

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
        """The same numbers with provenance. Raises: UsageError for facts that are not text."""
        if not isinstance(facts, Mapping) or not all(
            isinstance(text, str) for fact in facts.items() for text in fact
        ):
            case = "Facts are a mapping of text to text."
            raise UsageError(
                f"with_provenance({facts!r:.80}) can't be used.",
                case,
                "Write for example {'model': 'mine'}.",
            )
        return replace_lazily(self, provenance={**(self.provenance or {}), **facts})

    def to_json(self) -> str:
        """The report as JSON; None stands for what is not defined."""
        return msgspec.json.encode(self, order="sorted").decode()

    @classmethod
    def from_json(cls, text: str | bytes, *, name: str = "a report") -> Report:
        """Raises: DataError naming the field that is wrong."""
        try:
            limits.check_json(text.encode(errors="replace") if isinstance(text, str) else text)
            report = msgspec.json.decode(text, type=cls)
        except limits.LimitError as error:
            raise DataError(f"The report {name} was read.", str(error), error.fix) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(
                f"The report {name} was read.", *_reason_and_fix(text, str(error))
            ) from None
        if report.format != REPORT_FORMAT:
            raise DataError(
                f"The report {name} was read.",
                f"It is of format {report.format}, not {REPORT_FORMAT}.",
                "Make it again with this version.",
            )
        return report

    def write(self, path: str | Path) -> None:
        """Stores the report, whole or not at all, in a new folder if there is none.

        Raises: DataError if it has no provenance, or the file can't be written.
        """
        failure = f"A report can't be written to {path}."
        if not self.provenance:
            raise DataError(
                failure,
                "Nothing says what its numbers are of: a number without provenance is not stored.",
                "Write report.with_provenance({'model': …, 'weights': …}) instead.",
            )
        with write_errors(path, DataError, fix="Name a file that can be written.", failure=failure):
            write_file(Path(path).resolve(), self.to_json())  # a link stays a link

    @classmethod
    def read(cls, path: str | Path) -> Report:
        """Raises: DataError naming the file and the field that is wrong."""
        try:
            content = limits.read(Path(path))
        except limits.LimitError as error:
            raise DataError(f"The report '{path}' can't be read.", str(error), error.fix) from None
        return cls.from_json(content, name=str(path))


def _three_decimals(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _reason_and_fix(text: str | bytes, error: str) -> tuple[str, str]:
    """Reason and fix for JSON that is not a report."""
    try:
        fields = set(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        content = text.encode(errors="replace") if isinstance(text, str) else text
        if not content.strip():
            return "It is empty.", MAKE_AGAIN
        if content.lstrip().startswith(b"{") and not content.rstrip().endswith(b"}"):
            return "It is cut short: its end is missing.", MAKE_AGAIN
        fields = set()
    if {"model", "report"} <= fields:
        return (
            "It is an entry of a leaderboard, which wraps a report.",
            "Read it with zoo leaderboard check.",
        )
    return f"{_plain_words(error)}.", "Make it again with this version."


def _plain_words(error: str) -> str:
    """Describes an error in JSON in plain words."""
    if match := _NO_CHOICE.match(error):
        return f"{match[2] or 'A field'} is {match[1]}, which is none of its choices"
    return " ".join(error.split()).rstrip(".")
