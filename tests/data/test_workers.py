"""Shares of work in processes of their own."""

import os
from pathlib import Path

import msgspec
import pytest

from zoo.data import workers
from zoo.data.workers import shares_of, spread
from zoo.errors import DataError


class Job(msgspec.Struct):
    """Numbers, and what happens with them in another process than that one."""

    numbers: list[int]
    home: int
    then: str = "well"


def worked(job: Job) -> dict[str, list[int]]:
    """Squares, and the process that made them."""
    if job.then == "raise" or (job.then == "die" and os.getpid() != job.home):
        raise DataError("It was tried.", "It failed.", "Try again.")
    return {"squares": [number**2 for number in job.numbers], "by": [os.getpid()]}


@pytest.fixture(autouse=True)
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "cores", lambda: 3)
    monkeypatch.syspath_prepend(Path(__file__).parents[2])


@pytest.mark.parametrize(("count", "parts"), [(0, 1), (9, 1), (19, 1), (20, 2), (1000, 3)])
def test_no_share_is_small_and_there_is_none_more_than_cores(count: int, parts: int) -> None:
    shares = shares_of(count, least=10)
    assert len(shares) == parts
    assert [number for share in shares for number in range(count)[share]] == list(range(count))


def test_shares_are_worked_on_at_other_places_and_come_back_in_order() -> None:
    made = spread(worked, [Job([number], os.getpid()) for number in range(3)])
    assert [one["squares"] for one in made] == [[0], [1], [4]]
    processes = {one["by"][0] for one in made}
    assert len(processes) == 3
    assert os.getpid() in processes


def test_one_share_needs_no_process() -> None:
    assert spread(worked, [Job([3], os.getpid())])[0]["by"] == [os.getpid()]


def test_the_share_of_a_process_that_ends_badly_is_worked_on_here() -> None:
    made = spread(worked, [Job([1], os.getpid()), Job([2], os.getpid(), "die")])
    assert [one["squares"] for one in made] == [[1], [4]]
    assert made[1]["by"] == [os.getpid()]
    with pytest.raises(DataError, match="It failed"):
        spread(worked, [Job([1], os.getpid()), Job([2], os.getpid(), "raise")])


def test_without_a_python_to_start_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.sys, "executable", "/nowhere/python")
    made = spread(worked, [Job([1], os.getpid()), Job([2], os.getpid())])
    assert [one["by"] for one in made] == [[os.getpid()]] * 2
