"""Thresholds: the score, IoU and count limits of one decode, all filled in."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

from zoo.errors import UsageError


@dataclass(frozen=True)
class Thresholds:
    """Limits that `decode` applies. A family has its own as `defaults`.

    score:     detections below it are dropped, in [0, 1].
    iou:       non-maximum suppression within a class drops a box that overlaps a better one by
               more, in [0, 1]; families without suppression ignore it, and say 1.
    max_boxes: the most detections of an image, best first; at least 1.
    Raises: UsageError for a value out of its range.
    """

    score: float
    iou: float
    max_boxes: int

    def __post_init__(self) -> None:
        for name in ("score", "iou", "max_boxes"):
            check_threshold(name, getattr(self, name), of="Thresholds")


def check_threshold(name: str, value: object, *, of: str) -> None:
    """Raises: UsageError unless the value can be the threshold of that name. of: where it was
    given."""
    if name == "max_boxes":
        fits = _is(value, Integral) and value >= 1  # type: ignore[operator]
        case, example = "It is a whole number, at least 1.", "max_boxes=100"
    else:
        fits = _is(value, Real) and 0 <= value <= 1  # type: ignore[operator]
        case, example = "A threshold is a number from 0 to 1.", f"{name}=0.5"
    if not fits:
        shell = f"Write for example --{example.replace('_', '-').replace('=', ' ')}."
        fix = f"Write for example {example}."
        raise UsageError(f"{of}({name}={value!r}) can't be used.", case, fix, fix_cli=shell)


def _is(value: object, kind: type) -> bool:
    """True and False are whole numbers to Python, and a mistake here."""
    return isinstance(value, kind) and not isinstance(value, bool)
