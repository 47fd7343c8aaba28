"""Draws sample images with boxes during a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import PIL.Image
import torch

from zoo.data import Dataset
from zoo.detections import Detections
from zoo.detectors import Detector
from zoo.draw import draw, save
from zoo.labels import LabelSpace
from zoo.train.sample import Sample

MAX_IMAGES = 4
MIN_SCORE = 0.3
GAP = 8  # pixels between two images
PAPER = "#ffffff"


def truth_image(sample: Sample, label_space: LabelSpace) -> PIL.Image.Image:
    """An image with its annotated boxes."""
    ones = torch.ones(len(sample.labels))
    truth = Detections(sample.boxes, ones, sample.labels, label_space, size=sample.size)
    return draw(sample.image, truth, scores=False)


def draw_detection_sheets(detector: Detector, dataset: Dataset, folder: Path) -> list[Path]:
    """Writes the first images of a data set, detections at the left and truth at the right."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = _rows(dataset)
    paths = []
    for number, row in enumerate(rows):
        image = dataset.image(row).pixels
        target = dataset.target(row)
        detections = detector.detect(image, score=MIN_SCORE, progress=False)
        truth = truth_image(Sample(image, target.boxes, target.labels), dataset.label_space)
        path = folder / f"{number}.jpg"
        paths.append(save(side_by_side([draw(image, detections), truth]), path))
    return paths


def _rows(dataset: Dataset) -> list[int]:
    """The first images that have objects."""
    with_objects = list(dict.fromkeys(dataset.truth.images.tolist()))[:MAX_IMAGES]
    return with_objects or list(range(min(MAX_IMAGES, len(dataset))))


def side_by_side(images: Sequence[PIL.Image.Image]) -> PIL.Image.Image:
    """The images in a row, aligned at the top."""
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    sheet = PIL.Image.new("RGB", (width, max(image.height for image in images)), PAPER)
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + GAP
    return sheet
