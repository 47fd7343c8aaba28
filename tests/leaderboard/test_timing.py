"""Latency, memory and operations are measured in a process of its own, of the network that runs."""

import pytest
from PIL import Image

from zoo.errors import DataError
from zoo.leaderboard.timing import Request, time_model


@pytest.fixture
def image(tmp_path):
    Image.new("RGB", (160, 120)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


@pytest.mark.slow
def test_a_model_is_timed_and_its_operations_counted(image):
    timing = time_model(
        Request(model="yolox_nano", weights=False, images=[image], score=0.01, warm_up=1, runs=3)
    )
    assert timing.runs == 3
    assert 0 < timing.median_ms <= timing.p95_ms
    assert timing.peak_mb > 100
    assert timing.gflops == pytest.approx(
        1.05, abs=0.05
    )  # 1.08 published for 416 pixels, counted by another program
    assert timing.hardware


def test_a_model_that_does_not_load_is_named_with_the_reason(image):
    with pytest.raises(
        DataError, match=r"(?s)'yolox_nan' can't be timed.*Did you mean 'yolox_nano"
    ):
        time_model(Request(model="yolox_nan", images=[image], runs=1))
