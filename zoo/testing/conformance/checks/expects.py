"""Checks that trained weights detect what their card expects, and reach the AP that it claims.

A loss and a decode that share a mistake, such as exchanged axes or classes, are consistent, so
random weights and training don't show it; published weights do.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.detections import Detections
from zoo.registry.card import Expectation, ExpectedBox
from zoo.testing.conformance.drawing import image_of
from zoo.testing.conformance.errors import NotApplicable, NotHere, require
from zoo.testing.conformance.model import Model

METRIC = "AP"


def check_expected_detections(model: Model) -> None:
    """Its trained weights detect what the card expects in each image: these classes, boxes and
    scores, and nothing else."""
    weights = model.published_weights
    expected = [] if weights is None else weights.expects
    if not expected:
        raise NotApplicable("Its card expects nothing of these weights.")
    for number, expectation in enumerate(expected, 1):
        [detections] = model.trained_detector.detect(
            [image_of(expectation.image)], score=expectation.floor, progress=False
        )
        _check_seen(expectation, detections, f"In image {number} of the card's expectations")


def check_claim_reached(model: Model) -> None:
    """On the given data its trained weights reach the AP that the card claims, within the
    uncertainty of a sample of that size.

    Measured with the family's own thresholds; the claim is missed if the upper end of the 95 %
    bootstrap interval is below it.
    """
    weights = model.published_weights
    if model.data is None:
        raise NotHere("No data were named: zoo check NAME --weights … --data coco:PATH.")
    claims = (
        [] if weights is None else [claim for claim in weights.claims if claim.metric == METRIC]
    )
    if len(claims) != 1:
        raise NotApplicable(f"Its card has {len(claims)} claims of {METRIC} for these weights.")
    from zoo.evaluate.evaluate import evaluate  # deferred: only this check measures anything

    report = evaluate(model.trained_detector, data=model.data, protocol="native", progress=False)
    interval = report.interval(METRIC)
    if interval is None:
        raise NotApplicable("The data are too few for an interval.")
    measured = (
        f"{100 * (report.numbers[METRIC] or 0):.1f} ({100 * interval.low:.1f} to "
        f"{100 * interval.high:.1f})"
    )
    case = (
        f"The card claims {METRIC} {claims[0].value:g} on {claims[0].dataset}, and on "
        f"{report.measured.data} it is {measured}"
    )
    require(100 * interval.high >= claims[0].value, f"{case}.")


def _check_seen(expected: Expectation, detections: Detections, where: str) -> None:
    names = [box.label for box in expected.boxes]
    require(
        sorted(detections.class_names) == sorted(names),
        f"{where} it sees {_three_best(detections)}, and not {names or 'nothing'}.",
    )
    for box in expected.boxes:
        near = detections[_close(expected, box, detections)]
        case = f"{where} no '{box.label}' is within {expected.pixels:g} pixels of {box.box}"
        require(
            len(near) > 0,
            f"{case} with a score within {expected.tolerance:g} of {box.score:g}: it sees "
            f"{_three_best(detections)}.",
        )


def _close(expected: Expectation, box: ExpectedBox, detections: Detections) -> Tensor:
    """Which detections are that box: (n,)."""
    near = (detections.boxes - torch.tensor(box.box)).abs().amax(1) <= expected.pixels
    same = torch.tensor([name == box.label for name in detections.class_names], dtype=torch.bool)
    return near & same & ((detections.scores - box.score).abs() <= expected.tolerance)


def _three_best(detections: Detections) -> str:
    """The three best detections, in words."""
    rows = zip(
        detections.class_names, detections.boxes.tolist(), detections.scores.tolist(), strict=True
    )
    best = [
        f"'{name}' at {[round(edge, 1) for edge in box]} ({score:.3f})" for name, box, score in rows
    ]
    return ", ".join(best[:3]) or "nothing"
