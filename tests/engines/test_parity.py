"""The parity gate names what differs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from zoo.detectors import Detector
from zoo.engines import Engine
from zoo.engines.parity import EXACT, HALF, Tolerance, measure
from zoo.engines.scenes import scenes
from zoo.errors import ExportError


@dataclass
class Shifted:
    """A session whose output is off by a little in one place."""

    session: object
    by: float
    version: str = "1"

    def __call__(self, inputs):  # type: ignore[no-untyped-def]
        (values,) = self.session(inputs)  # type: ignore[operator]
        values = values.clone()
        values[-1, 7, 4] += self.by
        return [values]


def measured(  # type: ignore[no-untyped-def]
    pico: Detector, engine: Engine, by: float, tolerance: Tolerance = EXACT
):
    session = vars(engine)["_session"]
    vars(engine)["_session"] = Shifted(session, by)
    return measure(pico, engine, scenes(), failure="Asked.", tolerance=tolerance)


def test_what_is_near_enough_passes(pico: Detector, engine: Engine) -> None:
    parity = measured(pico, engine, 1e-5)
    assert parity.images == len(scenes())
    assert parity.sizes == [(320, 320)]


@pytest.mark.parametrize("by", [0.46, float("nan"), float("inf")])
def test_what_differs_is_named_with_its_place(pico: Detector, engine: Engine, by: float) -> None:
    with pytest.raises(ExportError, match=r"'values' differs from torch by .* at \[0, 7, 4\]"):
        measured(pico, engine, by)


def test_how_far_the_detections_are_apart_is_said_with_the_output(
    pico: Detector, engine: Engine
) -> None:
    with pytest.raises(ExportError) as caught:
        measured(pico, engine, -1e-3)
    output, detections = caught.value.case.splitlines()
    assert "'values' differs from torch by 0.001" in output
    assert "detections and its own, 0 have no match within 0.5 pixels and 0.001 of a" in detections
    assert "at most" in detections


def test_a_few_numbers_of_a_half_file_may_differ_where_no_detection_does(
    pico: Detector, engine: Engine
) -> None:
    assert measured(pico, engine, -1.0, HALF).worst == pytest.approx(1.0)


def test_a_number_that_is_none_is_refused_wherever_it_is(pico: Detector, engine: Engine) -> None:
    with pytest.raises(ExportError, match=r"differs from torch by inf at \[0, 7, 4\]"):
        measured(pico, engine, float("nan"), HALF)


def test_the_scenes_have_several_shapes() -> None:
    shapes = {tuple(image.shape[-2:]) for image in scenes()}
    assert len(shapes) >= 4
    assert all(isinstance(image, Tensor) and image.dtype == torch.uint8 for image in scenes())
