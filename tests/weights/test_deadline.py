"""Deadlines: for a call, and for the pace of a body."""

import threading

import pytest

from zoo.weights import deadline
from zoo.weights.deadline import Pace, given_up, window, within
from zoo.weights.retry import TransientError


def test_the_window_is_three_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_TIMEOUT", "2")
    assert window() == 6


def test_a_call_in_time_gives_its_result_or_its_error() -> None:
    assert within(lambda: 42, seconds=5) == 42
    with pytest.raises(ZeroDivisionError):
        within(lambda: 1 // 0, seconds=5)


def test_a_call_that_takes_longer_is_left_to_itself_and_knows_it() -> None:
    end, told = threading.Event(), threading.Event()

    def call() -> None:
        end.wait(10)
        if given_up():
            told.set()

    with pytest.raises(TransientError, match="Too late"):
        within(call, seconds=0.1, case="Too late.")
    end.set()
    assert told.wait(10)


def test_a_call_that_makes_progress_may_take_longer() -> None:
    end, count = threading.Event(), iter(range(1000))

    def done() -> int:
        value = next(count)
        if value == 8:
            end.set()
        return value

    assert within(lambda: end.wait(10), seconds=0.06, done=done)


def test_a_body_that_drips_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setenv("ZOO_TIMEOUT", "1")
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now[0])
    pace = Pace()
    now[0] = 3.0
    pace.add(30_000)
    now[0] = 5.9
    pace.add(1)  # the window is not over
    now[0] = 6.0
    with pytest.raises(TransientError, match="less than 10 kB a second"):
        pace.add(1)
