"""Policy for edge cases in which pycocotools is wrong, fragile or silent: each has a name, a
default, and pycocotools' own behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zoo.suggest import check_choices


@dataclass(frozen=True)
class EdgeCasePolicy:
    """Choices that can move a number; `EdgeCasePolicy.pycocotools()` makes all of them as
    pycocotools 2.0.11 does.

    Raises: UsageError for a choice that there is not.

    annotation_zero: a detection that finds the box with annotation id 0 counts as a match
        ("match"); pycocotools takes the id for "nothing" and counts the detection as false ("miss";
        cocoapi #332).
    headline: AP is read at the largest limit of detections ("largest"); pycocotools reads it at
        100, and says -1 where 100 is not among the limits ("hundred"; torchmetrics #1153).
    iou_lookup: AP at an IoU is read at the threshold nearest to it ("near", within 1e-6);
        pycocotools compares for equality, so that AP at .9 is -1, because it is stored as .8999…
        ("equal"; cocoapi #409).
    missing_area: a box without `area` has the area of the box ("box"), which moves APs and APm
        where others use the mask's; or the data set is refused ("refuse"), where pycocotools raises
        a KeyError.
    no_detections: a model that found nothing anywhere scores 0 ("zero"); or it is refused
        ("refuse"), where pycocotools raises an IndexError.
    unseen_images: images that were never handed to the evaluator are refused ("refuse"), because a
        lost shard looks like that; or count as images without detections ("empty"), as in
        pycocotools; or are left out of the measurement ("leave out").
    repeated_images: an image that comes twice is refused by name ("refuse"), or counts once
        ("once"): of two different versions always the same one is kept, whatever the order.
        pycocotools counts both.
    """

    annotation_zero: Literal["match", "miss"] = "match"
    headline: Literal["largest", "hundred"] = "largest"
    iou_lookup: Literal["near", "equal"] = "near"
    missing_area: Literal["box", "refuse"] = "box"
    no_detections: Literal["zero", "refuse"] = "zero"
    unseen_images: Literal["refuse", "empty", "leave out"] = "refuse"
    repeated_images: Literal["refuse", "once"] = "refuse"

    def __post_init__(self) -> None:
        check_choices(self)

    @classmethod
    def pycocotools(cls) -> EdgeCasePolicy:
        """Every choice as pycocotools 2.0.11 makes it; only an image that comes twice is still
        refused."""
        return cls(
            annotation_zero="miss",
            headline="hundred",
            iou_lookup="equal",
            missing_area="refuse",
            no_detections="refuse",
            unseen_images="empty",
        )
