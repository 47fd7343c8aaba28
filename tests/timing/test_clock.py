"""Quantiles, and memory of this process alone."""

import subprocess
import sys

import pytest

from zoo.timing.clock import quantile


def test_memory_that_another_process_holds_is_not_counted():
    ask = "from zoo.timing.clock import resident_peak; print(resident_peak())"
    alone = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True)
    start = f"subprocess.run([sys.executable, '-c', {ask!r}], check=True)"
    held = f"import subprocess, sys; big = bytes(range(256)) * 2_000_000; {start}"
    beside = subprocess.run([sys.executable, "-c", held], capture_output=True, check=True)
    assert float(beside.stdout) == pytest.approx(float(alone.stdout), rel=0.2)
    assert float(beside.stdout) < 400  # the other one holds 512


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([1.0], 0.95, 1.0),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 101)), 0.5, 50),
        ([1, 2, 3], 0.5, 2),
        ([1, 2], 0.95, 2),
    ],
)
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(values, share, expected):
    assert quantile(values, share) == expected
