"""What a lighter file costs in AP, image by image."""

from __future__ import annotations

import pytest

import zoo
from zoo.engines import Accuracy, Engine
from zoo.engines.accuracy import accuracy, report


def test_an_engine_loses_nothing_against_itself(engine: Engine) -> None:
    data = zoo.data.read("shapes:val,count=6")
    before = report(engine, data)
    found = accuracy(before, before)
    assert found.before == found.after == before.ap
    assert (found.lost, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert found.images == 6


def test_it_is_said_in_points() -> None:
    found = Accuracy("coco128", 128, 0.3386, 0.3265, -0.02, -0.004, 0.01)
    assert found.lost == pytest.approx(1.21)
    assert str(found) == (
        "AP 32.6, and 33.9 in float32, on 128 images of coco128: -1.21 points (95 % interval -2.00 "
        "to -0.40, p 0.01)"
    )


def test_nothing_has_no_sign() -> None:
    assert ": +0.00 points (95 % interval +0.00 to +0.00" in str(
        Accuracy("scenes", 8, 0.5, 0.5 - 1e-9, -1e-9, 1e-9, 1.0)
    )
