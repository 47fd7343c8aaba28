"""Checks of `decode`: one result per image, of numbers that mean what they say."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import torch

from zoo.contract import Batch, InputTransform, Protocol
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.inference.runner import BOX_TOLERANCE, eval_mode
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import EVERYTHING, decode, preprocess, scene
from zoo.text import type_name

# Factors of height and width. A detector that keeps the aspect ratio is checked with the last two.
STRETCHES = ((2, 4), (2, 2), (16, 16))
MAX_BOXES = 10_000
MIN_EDGES = 8  # of boxes, of which at least one should lie between pixels


def check_one_result_per_image(detector: Detector) -> None:
    """Two images in a batch give a list of two Detections, on the CPU."""
    answers = decode(detector, [scene(seed=1), scene(seed=2)])
    require(
        isinstance(answers, list) and len(answers) == 2,
        f"decode returned {_describe(answers)} for two images.",
    )
    for detections in answers:
        require(
            isinstance(detections, Detections),
            f"decode returned a list of {type(detections).__name__}, not of Detections.",
        )
        require(
            detections.boxes.is_cpu and detections.scores.is_cpu and detections.labels.is_cpu,
            f"The boxes are on {detections.boxes.device}, not the CPU.",
        )


def check_sees_something(detector: Detector) -> None:
    """With a score threshold of 0 it detects something in an image; without that, the other checks
    would prove nothing."""
    require(
        len(_decode_scene(detector)) > 0,
        "At a score floor of 0 it sees nothing, so nothing else can be checked.",
    )


def check_best_first(detector: Detector) -> None:
    """Scores never rise from one detection to the next."""
    scores = _decode_scene(detector).scores
    require(not bool((scores.diff() > 0).any()), f"Scores rise: {_first_scores(scores)}.")


def check_scores_are_probabilities(detector: Detector) -> None:
    """Scores lie in [0, 1]."""
    scores = _decode_scene(detector).scores
    require(
        bool(((scores >= 0) & (scores <= 1)).all()),
        f"Scores leave [0, 1]: {_first_scores(scores)}.",
    )


def check_finite_everywhere(detector: Detector) -> None:
    """Boxes and scores are finite, also in all-black and all-white images."""
    images = {
        "a scene": scene(),
        "black": torch.zeros_like(scene()),
        "white": torch.full_like(scene(), 255),
    }
    for name, detections in zip(images, decode(detector, list(images.values())), strict=True):
        require(
            bool(detections.boxes.isfinite().all()),
            f"Boxes in an image that is {name} are not finite.",
        )
        require(
            bool(detections.scores.isfinite().all()),
            f"Scores in an image that is {name} are not finite.",
        )


def check_boxes_inside_the_image(detector: Detector) -> None:
    """Boxes lie inside the image (to a hundredth of a pixel)."""
    height, width = 45, 61
    [detections] = decode(detector, [scene(height, width)])
    boxes = detections.boxes
    limits = torch.tensor([width, height, width, height]) + BOX_TOLERANCE
    inside = (boxes >= -BOX_TOLERANCE) & (boxes <= limits)
    require(
        bool(inside.all()),
        f"A box leaves the image of {width} x {height}: {_first_bad_box(boxes, inside.all(1))}.",
    )


def check_boxes_follow_the_image(detector: Detector) -> None:
    """If an image of 2 or 16 times the size, or a stretched one, has the same network input, its
    boxes are the same, scaled by as much.

    Tolerance: 80 % of the 20 best boxes have a partner of the same label, with an IoU of 0.9 and a
        score within 0.01.
    """
    for small, large in _equal_inputs(detector):
        with eval_mode(detector), torch.inference_mode():
            thresholds = EVERYTHING.thresholds(detector.defaults)
            [detections] = detector.decode(detector(small), small, thresholds)
            [other] = detector.decode(detector(large), large, thresholds)
        down, across = (
            large.transforms[0].height / small.transforms[0].height,
            large.transforms[0].width / small.transforms[0].width,
        )
        shrunk = copy(other)
        vars(shrunk).update(
            boxes=other.boxes / torch.tensor([across, down, across, down]), size=detections.size
        )
        larger = f"{across:g} times as wide and {down:g} times as high"
        require(
            agree(shrunk, detections),
            f"Of an image {larger}, and the same to the network, scaled back: "
            f"{difference(shrunk, detections)}.",
        )


def check_boxes_between_pixels(detector: Detector) -> None:
    """Edges of boxes are not whole numbers of pixels, except at the edges of the image."""
    [detections] = decode(detector, [scene()], Protocol(score=0.0, iou=1.0, max_boxes=MAX_BOXES))
    height, width = scene().shape[1:]
    edges = detections.boxes[
        (detections.boxes > 0) & (detections.boxes < torch.tensor([width, height, width, height]))
    ]
    if len(edges) < MIN_EDGES:
        raise NotApplicable("It detects no boxes inside of the image.")
    require(
        bool((edges != edges.round()).any()),
        f"Every edge of its {len(detections)} boxes is a whole number of pixels.",
    )


def check_corners_in_order(detector: Detector) -> None:
    """In every box x1 <= x2 and y1 <= y2."""
    boxes = _decode_scene(detector).boxes
    ordered = (boxes[:, 2:] >= boxes[:, :2]).all(1)
    require(bool(ordered.all()), f"A box ends before it begins: {_first_bad_box(boxes, ordered)}.")


def check_labels_in_range(detector: Detector) -> None:
    """Labels are positions in the detector's own label space."""
    detections, label_space = _decode_scene(detector), detector.label_space
    require(
        detections.label_space == label_space,
        f"Labels are of the space '{detections.label_space.title}', the detector's is "
        f"'{label_space.title}'.",
    )
    wrong = detections.labels[
        (detections.labels < 0) | (detections.labels >= len(label_space))
    ].tolist()
    require(not wrong, f"Labels {wrong[:3]} are outside the label space of {len(label_space)}.")


def _decode_scene(detector: Detector) -> Detections:
    return decode(detector, [scene()])[0]


def _equal_inputs(detector: Detector) -> list[tuple[Batch, Batch]]:
    """Pairs of batches, of a scene and of a larger one, with equal pixels and different transforms;
    with stretched scenes if `preprocess` stretches."""
    height, width = scene().shape[1:]
    pairs = []
    with eval_mode(detector), torch.inference_mode():
        small = preprocess(detector, [scene()])
        for down, across in STRETCHES:
            large = preprocess(detector, [scene(down * height, across * width)])
            areas = {_area_of_input(batch.transforms[0]) for batch in (small, large)}
            if large.pixels.shape == small.pixels.shape and len(areas) == 1:
                pairs.append((small, replace(large, pixels=small.pixels)))
    if not pairs:
        raise NotApplicable("It does not resize images to a size of its own.")
    return pairs


def _area_of_input(transform: InputTransform) -> tuple[int, int, int, int]:
    """The area of the network's input that an image covers: top, left, height, width."""
    sides = (
        transform.top,
        transform.left,
        transform.height * transform.scale_y,
        transform.width * transform.scale_x,
    )
    top, left, height, width = (round(side) for side in sides)
    return top, left, height, width


def _describe(value: object) -> str:
    return f"{len(value)} answers" if isinstance(value, list) else type_name(value)


def _first_scores(scores: torch.Tensor) -> str:
    return ", ".join(f"{score:.4g}" for score in scores[:4].tolist())


def _first_bad_box(boxes: torch.Tensor, good: torch.Tensor) -> str:
    """The first box that is not good."""
    return str([round(edge, 2) for box in boxes[~good][:1].tolist() for edge in box])
