"""Checks of `decode`: one result per image, of numbers that mean what they say."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import torch

from zoo.contract import Batch, InputTransform, Protocol
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.inference.runner import BOX_TOLERANCE, eval_mode
from zoo.testing.conformance.compare import agree, shown
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import EVERYTHING, decode, preprocess, scene
from zoo.text import type_name

STRETCHES = (
    (2, 4),
    (2, 2),
    (16, 16),
)  # how much higher and wider; one that keeps the shape of images takes the last two
MANY = 10_000
SEVERAL = 8  # edges, of which one lies between pixels for sure


def check_one_result_per_image(detector: Detector) -> None:
    """Two images in a batch give a list of two Detections, on the CPU."""
    answers = decode(detector, [scene(seed=1), scene(seed=2)])
    require(
        isinstance(answers, list) and len(answers) == 2,
        f"decode gave {_named(answers)} for two images.",
    )
    for detections in answers:
        require(
            isinstance(detections, Detections),
            f"decode gave a list of {type(detections).__name__}, not of Detections.",
        )
        require(
            detections.boxes.is_cpu and detections.scores.is_cpu and detections.labels.is_cpu,
            f"The boxes are on {detections.boxes.device}, not the CPU.",
        )


def check_sees_something(detector: Detector) -> None:
    """Without a score floor something is seen in an image; the other checks would be empty without
    it."""
    require(
        len(_seen(detector)) > 0,
        "At a score floor of 0 it sees nothing, so nothing else can be checked.",
    )


def check_best_first(detector: Detector) -> None:
    """Scores never rise from one detection to the next."""
    scores = _seen(detector).scores
    require(not bool((scores.diff() > 0).any()), f"Scores rise: {_some(scores)}.")


def check_scores_are_probabilities(detector: Detector) -> None:
    """Scores lie in [0, 1]."""
    scores = _seen(detector).scores
    require(bool(((scores >= 0) & (scores <= 1)).all()), f"Scores leave [0, 1]: {_some(scores)}.")


def check_finite_everywhere(detector: Detector) -> None:
    """Boxes and scores are finite, in black and white images as in any other."""
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
    """Boxes end at the edges of the image (to a hundredth of a pixel)."""
    height, width = 45, 61
    [detections] = decode(detector, [scene(height, width)])
    boxes = detections.boxes
    limits = torch.tensor([width, height, width, height]) + BOX_TOLERANCE
    inside = (boxes >= -BOX_TOLERANCE) & (boxes <= limits)
    require(
        bool(inside.all()),
        f"A box leaves the image of {width} x {height}: {_row(boxes, inside.all(1))}.",
    )


def check_boxes_follow_the_image(detector: Detector) -> None:
    """An image of 2 or 16 times the size, or stretched, that is the same to the network has the
    same boxes, as much larger.

    Tolerance: 80 % of the 20 best boxes have a partner of the same label, with an IoU of 0.9 and a
        score within 0.01.
    """
    for small, large in _alike(detector):
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
            f"{shown(shrunk, detections)}.",
        )


def check_boxes_between_pixels(detector: Detector) -> None:
    """Edges of boxes are not whole numbers of pixels, except at the edges of the image."""
    [detections] = decode(detector, [scene()], Protocol(score=0.0, iou=1.0, max_boxes=MANY))
    height, width = scene().shape[1:]
    edges = detections.boxes[
        (detections.boxes > 0) & (detections.boxes < torch.tensor([width, height, width, height]))
    ]
    if len(edges) < SEVERAL:
        raise NotApplicable("It sees no boxes inside of the image.")
    require(
        bool((edges != edges.round()).any()),
        f"Every edge of its {len(detections)} boxes is a whole number of pixels.",
    )


def check_corners_in_order(detector: Detector) -> None:
    """In every box x1 <= x2 and y1 <= y2."""
    boxes = _seen(detector).boxes
    ordered = (boxes[:, 2:] >= boxes[:, :2]).all(1)
    require(bool(ordered.all()), f"A box ends before it begins: {_row(boxes, ordered)}.")


def check_labels_in_range(detector: Detector) -> None:
    """Labels are positions in the detector's own label space."""
    detections, label_space = _seen(detector), detector.label_space
    require(
        detections.label_space == label_space,
        f"Labels are of the space '{detections.label_space.title}', the detector's is "
        f"'{label_space.title}'.",
    )
    wrong = detections.labels[
        (detections.labels < 0) | (detections.labels >= len(label_space))
    ].tolist()
    require(not wrong, f"Labels {wrong[:3]} are outside the label space of {len(label_space)}.")


def _seen(detector: Detector) -> Detections:
    return decode(detector, [scene()])[0]


def _alike(detector: Detector) -> list[tuple[Batch, Batch]]:
    """A scene, and larger ones whose network input is the same but for its place; stretched where
    the network stretches."""
    height, width = scene().shape[1:]
    pairs = []
    with eval_mode(detector), torch.inference_mode():
        small = preprocess(detector, [scene()])
        for down, across in STRETCHES:
            large = preprocess(detector, [scene(down * height, across * width)])
            if large.pixels.shape == small.pixels.shape and _covered(
                large.transforms[0]
            ) == _covered(small.transforms[0]):
                pairs.append((small, replace(large, pixels=small.pixels)))
    if not pairs:
        raise NotApplicable("It does not resize images to a size of its own.")
    return pairs


def _covered(place: InputTransform) -> tuple[int, int, int, int]:
    """Where in the network's input an image is: top, left, height, width."""
    sides = place.top, place.left, place.height * place.scale_y, place.width * place.scale_x
    top, left, height, width = (round(side) for side in sides)
    return top, left, height, width


def _named(value: object) -> str:
    return f"{len(value)} answers" if isinstance(value, list) else type_name(value)


def _some(scores: torch.Tensor) -> str:
    return ", ".join(f"{score:.4g}" for score in scores[:4].tolist())


def _row(boxes: torch.Tensor, good: torch.Tensor) -> str:
    """The first box that is not good."""
    return str([round(edge, 2) for box in boxes[~good][:1].tolist() for edge in box])
