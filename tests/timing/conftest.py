"""Calls and facts that nobody had to wait for."""

from __future__ import annotations

import pytest

from zoo.timing import Benchmark, Row, Steadiness
from zoo.timing.timed import Call, Facts

FACTS = Facts(
    name="yolox_pico.shapes",
    engine="onnxruntime 1.32.0",
    hardware="A processor",
    threads=2,
    input=(320, 320),
    images=16,
    peak_mb=321.5,
    gflops=0.9,
)
CALLS = [
    Call(seconds=each / 1000, read=0.016, preprocess=0.004, network=0.012, postprocess=0.001)
    for each in range(20, 40)
]


@pytest.fixture
def row() -> Row:
    """Twenty calls of eight images, 20 to 39 ms each."""
    return Row.of(CALLS, FACTS, requested="auto", batch=8, start=1.25, warm=True)


@pytest.fixture
def measured(row: Row) -> Benchmark:
    """One row, on a steady machine."""
    return Benchmark(
        rows=(row,),
        rounds=5,
        images="shapes:val",
        hardware={"processor": "A processor", "threads": "2"},
        software={"python": "3.13", "torch": "2.14"},
        steadiness=Steadiness(1.02, 0.99),
    )
