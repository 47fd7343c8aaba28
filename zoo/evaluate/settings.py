"""What is measured: the IoU thresholds, recall points, limits and size ranges of the COCO protocol, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
        if not 0 <= self.low <= self.high <= 1e30:
            raise ValueError(
                f"Area({self.name!r}, low={self.low}, high={self.high}): 0 <= low <= high <= 1e30, for example high=1e10"
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
class Settings:
    """The numbers of the protocol; the defaults are COCO's (Lin et al. 2014, as in pycocotools 2.0.11).

    ious:        a detection matches a box at an IoU of at least this; at most 15 thresholds.
    recalls:     precision is read at so many recalls, evenly from 0 to 1.
    detections:  limits per image and class, ascending; best first.
    areas:       size ranges; the first one holds every box. At most 16 together with the slices.
    slices:      names of box attributes; each of their values becomes one more range, where other boxes are ignored.
    """

    ious: tuple[float, ...] = COCO_IOUS
    recalls: int = 101
    detections: tuple[int, ...] = (1, 10, 100)
    areas: tuple[Area, ...] = COCO_AREAS
    slices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.ious) <= 15:
            raise ValueError(f"Settings(ious=…): 1 to 15 thresholds, got {len(self.ious)}")
        if not all(0 < iou <= 1 for iou in self.ious):
            raise ValueError(f"Settings(ious={self.ious}): an IoU threshold is above 0 and at most 1")
        if self.recalls < 2:
            raise ValueError(f"Settings(recalls={self.recalls}): at least 2, 0 and 1")
        if not self.detections or list(self.detections) != sorted(set(self.detections)) or not 0 < self.detections[-1] <= 65535:
            raise ValueError(
                f"Settings(detections={self.detections}): ascending limits between 1 and 65535, for example (1, 10, 100)"
            )
        if self.detections[0] < 1:
            raise ValueError(f"Settings(detections={self.detections}): a limit is at least 1")
        if len(self.detections) > 64:
            raise ValueError(f"Settings(detections=…): at most 64 limits, got {len(self.detections)}")
        if not 1 <= len(self.areas) <= 16:
            raise ValueError(f"Settings(areas=…): 1 to 16 ranges, got {len(self.areas)}")

    def recall_points(self) -> NDArray[np.float64]:
        """(recalls,) ascending from 0 to 1."""
        import numpy as np  # deferred: settings are data, and readable without it

        return np.linspace(0.0, 1.0, self.recalls)
