"""A page of detections with the truth: what was found, what was missed, and false alarms, worst
images first.

A detection finds a box as in the analyses of a report: of its class, at an IoU of .5 or more, best
detection first, each box once. That holds for every threshold at once, because a better detection
never loses its box to a worse one; so the page may move the threshold.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo import data as data_sets
from zoo.data import Dataset
from zoo.data.image_ids import rows_of_ids
from zoo.environment import cores
from zoo.errors import DataError, ImageError
from zoo.evaluate.analyses.operating_point import best_point
from zoo.evaluate.coco.backend import best_backend
from zoo.evaluate.coco.flatten import FlatDetections, flatten
from zoo.evaluate.coco.match_records import MatchRecords
from zoo.evaluate.coco.problem import ANALYSED_IOU, MatchingProblem
from zoo.evaluate.coco_files import read_flat
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.predictions.predictions import Predictions
from zoo.evaluate.predictions.provenance import settings_of
from zoo.evaluate.settings import COCO_AREAS, CocoSettings
from zoo.evaluate.stored_detections import results_path, stored_predictions
from zoo.progress import Bar

if TYPE_CHECKING:
    from zoo.data.image_records import ImageRecord
    from zoo.files import Named
    from zoo.gallery import Gallery, ShownImage, Written
    from zoo.images import Exif

_ALL_DETECTIONS = CocoSettings(ious=(ANALYSED_IOU,), detections=(65535,), areas=COCO_AREAS[:1])
_MAX_IMAGES = 200  # on a page


def save(
    detections: Predictions | str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | Dataset,
    to: Named,
    score: float | None = None,
    most: int = _MAX_IMAGES,
    summary: tuple[str, ...] = (),
    progress: bool | None = None,
) -> Written:
    """Writes a page of detections with the truth.

    detections: predictions, their `.parquet` file, or a COCO results list. data: as `zoo.data.read`
        takes it.
    to:    a file that ends in `.html`. most: images on the page; of more than that, those with most
        mistakes.
    score: the threshold that the page begins with, and that mistakes are counted at; None is the
        one of best F1. summary: sentences under the title.
    Raises: DataError, LabelError as `zoo.evaluate`; UsageError, ImageError where the page can't be
        written.
    """
    from zoo.gallery import writable_page, write  # deferred: torch, which measuring does without
    from zoo.gallery.collect import check_most

    writable_page(to)
    check_most(most)
    dataset = data_sets.read(data)
    matched = _match(detections, dataset)
    threshold = matched.best_score if score is None else score
    return write(_page(matched, threshold, most, summary, progress), to)


@dataclass(frozen=True, eq=False)
class _Matched:
    """Detections and how they were matched, in one order: by image, by class, then best first.

    rows: (m,) images as rows of the ground truth. order: (n,) detections of `flat`.
    """

    dataset: Dataset
    flat: FlatDetections
    rows: NDArray[np.int64]
    records: MatchRecords
    facts: Mapping[str, str]

    @cached_property
    def order(self) -> NDArray[np.int64]:
        group = np.repeat(np.arange(len(self.rows)), np.diff(self.flat.starts))
        return np.lexsort((-self.flat.scores, self.flat.labels, group))

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """(n, 4) xyxy, in the order of the records."""
        boxes = self.flat.boxes[self.order].astype(np.float64)
        if self.flat.box_format == "xywh":
            boxes[:, 2:] += boxes[:, :2]
        return boxes

    @cached_property
    def finds(self) -> NDArray[np.int64]:
        """(n,) the annotated box that each detection finds, as a row of the ground truth; -1 where
        it is a false alarm, -2 where it does not count."""
        matches = self.records.found
        boxes = np.where(matches, self.records.boxes[:, 0], -1).astype(np.int64)
        crowd = self.dataset.truth.crowd
        aside = matches & crowd[boxes] if len(crowd) else np.zeros_like(matches)
        return np.where(aside, -2, boxes)

    @cached_property
    def best_score(self) -> float:
        """The threshold of best F1; 0 where there is none."""
        counted = self.finds > -2
        scores, finds = self.records.scores[counted].astype(np.float64), self.finds[counted]
        order = np.argsort(-scores, kind="stable")
        positives = int((~self.dataset.truth.crowd[self._counted_boxes]).sum())
        point = best_point(scores[order], finds[order] >= 0, positives)
        return point.score if point else 0.0

    @cached_property
    def _counted_boxes(self) -> NDArray[np.bool_]:
        """(g,) the boxes of the images that there are detections of."""
        counts = np.zeros(len(self.dataset), bool)
        counts[self.rows] = True
        return counts[self.dataset.truth.images]

    def mistakes(self, score: float) -> NDArray[np.int64]:
        """(m,) misses and false alarms of each image at a threshold."""
        truth, selected = self.dataset.truth, self.records.scores >= score
        image_of = self.records.image_of()
        false = np.bincount(image_of[selected & (self.finds == -1)], minlength=len(truth))
        hits = np.bincount(image_of[selected & (self.finds >= 0)], minlength=len(truth))
        boxes = np.bincount(truth.images[~truth.crowd], minlength=len(truth))
        return (false + boxes - hits)[self.rows]


def _match(detections: Predictions | str | os.PathLike[str], dataset: Dataset) -> _Matched:
    """Raises: as `zoo.evaluate` if the detections can't be read or are of other images."""
    truth = dataset.truth
    if (path := results_path(detections)) is not None:
        flat, rows = read_flat(path, truth), np.arange(len(truth))
        facts: Mapping[str, str] = {"model": path.name.split(".json")[0]}
    else:
        predictions = _predictions(detections)
        flat = flatten(
            predictions.flat(),
            image_ids=predictions.image_ids.tolist(),
            label_space=truth.label_space,
            box_format="xyxy",
        )
        rows = rows_of_ids(truth.image_ids, predictions.image_ids, truth.name)
        facts = predictions.provenance
    plan = MatchingProblem.of(truth, _ALL_DETECTIONS, EdgeCasePolicy())
    records = best_backend().match(flat, rows, plan, analyses=True, threads=cores())
    return _Matched(dataset, flat, rows, records, facts)


def _predictions(detections: Predictions | str | os.PathLike[str]) -> Predictions:
    predictions = stored_predictions(detections)
    if predictions is None:
        raise DataError(
            f"'{detections}' can't be shown.",
            "It is neither predictions (.parquet) nor a results list (.json).",
            "Make predictions first: zoo.evaluate.predict(MODEL, data=DATA).",
        )
    return predictions


def _page(
    matched: _Matched, score: float, most: int, summary: tuple[str, ...], progress: bool | None
) -> Gallery:
    """The page of the images with most mistakes."""
    from zoo.gallery import Gallery
    from zoo.gallery.shown import threshold_below

    score = threshold_below(score)
    mistakes = matched.mistakes(score)
    places = np.argsort(-mistakes, kind="stable")[:most].tolist()
    images: list[ShownImage] = []
    unreadable: list[tuple[str, str]] = []
    with Bar("Making the page", total=len(places), show=progress) as bar:
        for place in places:
            shown = _show_image(matched, place, len(places))
            if isinstance(shown, tuple):
                unreadable.append(shown)
            else:
                images.append(shown)
            bar.advance()
    total, facts = len(matched.rows), matched.facts
    lowest = (settings_of(facts) or {}).get("score") or 0.0
    chosen = f"those with most misses and false alarms at a score of {score:.2f} or more"
    return Gallery(
        title=f"{facts.get('model', 'Detections')} on {matched.dataset.name}",
        names=matched.dataset.label_space.names,
        images=tuple(images),
        score=max(score, lowest),
        lowest=lowest,
        iou=ANALYSED_IOU,
        total=total,
        chosen=chosen if len(places) < total else "",
        unreadable=tuple(unreadable),
        summary=summary,
        facts={**facts, "data": matched.dataset.name, "data_sha256": matched.dataset.sha256},
    )


def _show_image(matched: _Matched, place: int, count: int) -> ShownImage | tuple[str, str]:
    """One image with its boxes, or its name and why it can't be read."""
    from zoo.gallery import ShownImage
    from zoo.gallery.collect import MOST_BOXES
    from zoo.gallery.jpeg import data_url, room
    from zoo.gallery.shown import part_of, score_part
    from zoo.images import read

    row = int(matched.rows[place])
    record, truth = matched.dataset.images[row], matched.dataset.truth
    exif: Exif = "ignore" if _ignores_exif(matched.facts) else "apply"
    try:
        image = read(record.source(), exif=exif, name=_name(record))
    except (DataError, ImageError) as error:
        return _name(record), error.case
    height, width = image.size
    boxes = truth.rows(row)
    detections = slice(*matched.records.starts[place : place + 2].tolist())
    best = np.argsort(-matched.records.scores[detections], kind="stable") + detections.start
    finds = matched.finds[best[:MOST_BOXES]]
    columns = [
        (
            label,
            score_part(score),
            *part_of(box, width, height),
            at - boxes.start if at >= 0 else at,
        )
        for label, score, box, at in zip(
            matched.records.labels[best[:MOST_BOXES]].tolist(),
            matched.records.scores[best[:MOST_BOXES]].tolist(),
            matched.boxes[best[:MOST_BOXES]].tolist(),
            finds.tolist(),
            strict=True,
        )
    ]
    annotated = [
        (label, *part_of(box, width, height), int(crowd))
        for label, box, crowd in zip(
            truth.labels[boxes].tolist(),
            truth.boxes[boxes].tolist(),
            truth.crowd[boxes].tolist(),
            strict=True,
        )
    ]
    more = max(len(best) - MOST_BOXES, 0)
    jpeg = data_url(image.pixels, most=room(count))
    return ShownImage(_name(record), width, height, jpeg, columns, annotated, more)


def _ignores_exif(facts: Mapping[str, str]) -> bool:
    """Whether the images were looked at as they are stored, without turning them upright."""
    return (settings_of(facts) or {}).get("exif") == "ignore"


def _name(record: ImageRecord) -> str:
    return record.path.name or str(record.id)
