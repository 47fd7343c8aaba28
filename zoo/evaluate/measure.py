"""From outcomes to a report: every number of `Report`, computed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, partial
from threading import Event
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.analyses.calibration import calibration
from zoo.evaluate.analyses.confusion import confusion
from zoo.evaluate.analyses.lrp import LRP, optimal_by_class
from zoo.evaluate.analyses.matches import Matches
from zoo.evaluate.analyses.operating_point import OperatingPoint, operating_points
from zoo.evaluate.analyses.tide import mistakes
from zoo.evaluate.background import background, result
from zoo.evaluate.coco.matched_images import MatchedImages
from zoo.evaluate.coco.summary import threshold_at
from zoo.evaluate.deferred import deferred
from zoo.evaluate.intervals import Interval, centred_interval, resampled
from zoo.evaluate.report import Analyses, ByName, ClassReport, Measured, Report, Resamplings


class _Analysed(NamedTuple):
    """The analyses of all classes together, and of each class."""

    whole: Analyses | None
    points: Sequence[OperatingPoint | None]
    lrps: Sequence[LRP | None]


def measure(
    matched: MatchedImages,
    *,
    resamples: int,
    seed: int,
    level: float,
    analyses: bool,
    unmet: Mapping[str, int],
) -> Report:
    """The report of matched images. `resamples`: bootstrap replicates. With 0 there are no
    intervals, and classes and analyses are deferred: they take longer than all the rest."""
    numbers = {name: None if value == -1 else value for name, value in matched.numbers().items()}
    analysed = cache(partial(_analyse, matched, enabled=analyses))
    _ = matched.order  # both sides take it
    stop = Event()
    with background(1, stop) as pool:  # the kernel resamples while the analyses are done here
        resampling = pool.submit(resampled, matched, resamples=resamples, seed=seed, stop=stop)
        if resamples:
            analysed()
        drawn, of_classes = result(resampling)
    intervals = {
        name: interval
        for name, values in drawn.items()
        if (number := numbers[name]) is not None
        and (interval := centred_interval(number, values, level=level)) is not None
    }
    replicates = {
        name: tuple(float(value) if np.isfinite(value) else None for value in values)
        for name, values in drawn.items()
    }

    def per_class() -> dict[str, ClassReport]:
        return ByName(_per_class(matched, of_classes, level, analysed()))

    return Report(
        numbers=numbers,
        intervals=intervals,
        per_class=per_class() if resamples else deferred(per_class),
        curves=_curves(matched),
        analyses=analysed().whole if resamples else deferred(lambda: analysed().whole),
        measured=_describe(matched, unmet),
        settings=matched.plan.settings,
        policy=matched.policy,
        resamplings=Resamplings(seed, replicates) if drawn else None,
    )


def _analyse(matched: MatchedImages, *, enabled: bool) -> _Analysed:
    if not enabled:
        return _Analysed(None, (), ())
    matches = Matches.of(matched)
    point, points = operating_points(matches)
    lrp, lrps = optimal_by_class(matches)
    names = matched.plan.truth.label_space.names
    of_all = Analyses(
        operating=point,
        mistakes=mistakes(matches),
        lrp=lrp,
        calibration=calibration(matches),
        confusion=confusion(matches, names, score=point.score) if point else None,
    )
    return _Analysed(of_all, points, lrps)


def _describe(matched: MatchedImages, unmet: Mapping[str, int]) -> Measured:
    truth = matched.plan.truth
    images = truth.image_ids[matched.counted]
    boxes = int(matched.counted[truth.images].sum())
    return Measured(
        data=truth.name,
        sha256=truth.sha256,
        image_ids_sha256=hashlib.sha256(images.tobytes()).hexdigest(),
        images=len(images),
        boxes=boxes,
        detections=len(matched.outcomes),
        unmet=dict(sorted(unmet.items())),
        notes=()
        if boxes
        else (f"{truth.name} has no annotated box, so that no number is defined.",),
    )


def _named_thresholds(matched: MatchedImages) -> dict[str, tuple[int, ...]]:
    ious = matched.plan.settings.ious
    return {
        "AP": tuple(range(len(ious))),
        "AP50": threshold_at(ious, 0.5, matched.policy),
        "AP75": threshold_at(ious, 0.75, matched.policy),
    }


def _curves(matched: MatchedImages) -> dict[str, tuple[float, ...]]:
    """Precision at each recall point, averaged over the classes that have boxes."""
    precision = matched.curves.precision[0, 0]  # (t, p, k)
    has_boxes = matched.positives[0] > 0
    if not has_boxes.any():
        return {}
    return {
        name: tuple(precision[list(at)][:, :, has_boxes].mean((0, 2)).tolist())
        for name, at in _named_thresholds(matched).items()
        if at
    }


def _per_class(
    matched: MatchedImages, drawn: NDArray[np.float64], level: float, analysed: _Analysed
) -> dict[str, ClassReport]:
    precision = matched.curves.precision[0, 0]  # (t, p, k)
    recall = matched.curves.recall  # (l, r, t, k)
    limit = matched.plan.settings.detections.index(matched.limit)
    detections = np.bincount(
        matched.outcomes.labels, minlength=len(matched.plan.truth.label_space)
    ).tolist()
    at = _named_thresholds(matched)
    reports = {}
    for label, name in enumerate(matched.plan.truth.label_space.names):
        boxes = int(matched.positives[0, label])

        def mean(
            thresholds: tuple[int, ...], label: int = label, boxes: int = boxes
        ) -> float | None:
            return (
                float(np.mean(precision[list(thresholds), :, label]))
                if boxes and thresholds
                else None
            )

        ap = mean(at["AP"])
        reports[name] = ClassReport(
            boxes=boxes,
            detections=detections[label],
            ap=ap,
            ap50=mean(at["AP50"]),
            ap75=mean(at["AP75"]),
            recall=float(np.mean(recall[limit, 0, :, label])) if boxes else None,
            interval=_interval(ap, drawn[:, label], level),
            precision=tuple(precision[at["AP50"][0], :, label].tolist())
            if boxes and at["AP50"]
            else None,
            operating=analysed.points[label] if analysed.points else None,
            lrp=analysed.lrps[label] if analysed.lrps else None,
        )
    return reports


def _interval(ap: float | None, drawn: NDArray[np.float64], level: float) -> Interval | None:
    return None if ap is None or not len(drawn) else centred_interval(ap, drawn, level=level)
