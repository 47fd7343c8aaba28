"""Settings of the COCO metrics: IoU thresholds, recall points, limits and size ranges, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING

from zoo.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _numbers(values: Iterable[object], kind: type[Real] | type[Integral] = Real) -> bool:
    """Whether all are numbers of that kind, and finite."""
    return all(
        isinstance(value, kind) and not isinstance(value, bool) and isfinite(float(value))
        for value in values
    )


@dataclass(frozen=True)
class Area:
    """A range of box areas in pixels², both ends inside it.

    name:   what it is called in tables.
    suffix: what it adds to the name of a number: AP + `s` is APs.
    """

    name: str
    suffix: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (_numbers((self.low, self.high)) and 0 <= self.low <= self.high <= 1e30):
            raise UsageError(
                f"Area({self.name!r}, low={self.low!r}, high={self.high!r}) can't be used.",
                "A range of areas goes from low to high, numbers from 0 to 1e30.",
                "For everything above, write high=1e10.",
            )


COCO_AREAS = (
    Area("all", "", 0.0, 1e5**2),
    Area("small", "s", 0.0, 32.0**2),
    Area("medium", "m", 32.0**2, 96.0**2),
    Area("large", "l", 96.0**2, 1e5**2),
)
# What numpy.linspace(.5, .95, 10) gives, bit for bit: pycocotools' .9 is the double below it.
COCO_IOUS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95)


@dataclass(frozen=True)
class CocoSettings:
    """The numbers of the protocol; the defaults are COCO's (Lin et al. 2014, as in pycocotools
    2.0.11).

    ious:        a detection matches a box at an IoU of at least this; at most 15 thresholds.
    recalls:     number of recalls at which precision is read, evenly from 0 to 1.
    detections:  limits per image and class, ascending; best first.
    areas:       size ranges; the first one holds every box. At most 16 together with the slices.
    slices:      names of box attributes; each of their values becomes one more range, which ignores
                 all other boxes.
    """

    ious: tuple[float, ...] = COCO_IOUS
    recalls: int = 101
    detections: tuple[int, ...] = (1, 10, 100)
    areas: tuple[Area, ...] = COCO_AREAS
    slices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises: UsageError for a setting that can't be."""
        for name in ("ious", "detections", "areas", "slices"):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise self._error(
                    name, "It takes several, as a tuple.", f"Write {name}=({value!r},)."
                )
            object.__setattr__(self, name, tuple(value))
        for name, fits, case, example in self._promises():
            if not fits():
                raise self._error(name, case, f"Write for example {name}={example}.")

    def _promises(self) -> Iterator[tuple[str, Callable[[], bool], str, str]]:
        """Conditions in the order they are checked: setting, check, requirement, example."""
        yield from self._iou_promises()
        yield from self._count_promises()
        yield from self._range_promises()

    def _iou_promises(self) -> Iterator[tuple[str, Callable[[], bool], str, str]]:
        """Conditions of the IoU thresholds."""
        ious = self.ious
        yield (
            "ious",
            lambda: 1 <= len(ious) <= 15 and _numbers(ious),
            "It takes 1 to 15 thresholds.",
            "(0.5, 0.75)",
        )
        yield (
            "ious",
            lambda: all(0 < iou <= 1 for iou in ious),
            "A threshold is above 0 and at most 1.",
            "(0.5, 0.75)",
        )
        yield (
            "ious",
            lambda: len(set(ious)) == len(ious),
            "A threshold is there twice, and would count twice.",
            "(0.5, 0.75)",
        )

    def _count_promises(self) -> Iterator[tuple[str, Callable[[], bool], str, str]]:
        """Conditions of the recall points and the limits of detections."""
        limits, some = self.detections, "(1, 10, 100)"
        yield (
            "recalls",
            lambda: _numbers([self.recalls], Integral),
            "It takes a whole number.",
            "101",
        )
        yield "recalls", lambda: 2 <= self.recalls <= 10_000, "It takes 2 to 10,000 points.", "101"
        yield (
            "detections",
            lambda: 1 <= len(limits) <= 64 and _numbers(limits, Integral),
            "It takes 1 to 64 limits.",
            some,
        )
        yield "detections", lambda: list(limits) == sorted(set(limits)), "Its limits ascend.", some
        yield (
            "detections",
            lambda: 1 <= limits[0] <= limits[-1] <= 65535,
            "A limit is at least 1 and at most 65535.",
            some,
        )

    def _range_promises(self) -> Iterator[tuple[str, Callable[[], bool], str, str]]:
        """Conditions of the size ranges and the slices."""
        areas = self.areas
        suffixes = [area.suffix for area in areas if isinstance(area, Area)]
        yield (
            "areas",
            lambda: 1 <= len(areas) == len(suffixes) <= 16,
            "It takes 1 to 16 ranges.",
            "(Area('all', '', 0, 1e10),)",
        )
        yield (
            "areas",
            lambda: (
                len(set(suffixes)) == len(suffixes)
                and not any(suffix.isdigit() for suffix in suffixes)
            ),
            "Two of its numbers would have one name: a suffix is not a number, and is there once.",
            "(Area('all', '', 0, 1e10), Area('tiny', 't', 0, 256))",
        )
        yield (
            "slices",
            lambda: all(isinstance(name, str) for name in self.slices),
            "It takes names of box attributes.",
            "('occluded',)",
        )

    def _error(self, name: str, case: str, fix: str) -> UsageError:
        return UsageError(f"CocoSettings({name}={getattr(self, name)!r}) can't be used.", case, fix)

    def recall_points(self) -> NDArray[np.float64]:
        """(recalls,) ascending from 0 to 1."""
        import numpy as np  # deferred: settings are data, and readable without it

        return np.linspace(0.0, 1.0, self.recalls)
