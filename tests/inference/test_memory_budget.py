"""Memory of images in flight: who is waited for goes on, and the others when there is room."""

import threading

import pytest

from zoo.inference.memory_budget import Closed, MemoryBudget


def test_a_budget_lets_through_what_fits_and_whoever_is_waited_for():
    budget = MemoryBudget(100)
    budget.take(0, 500)  # its turn
    waiting = threading.Thread(target=budget.take, args=(1, 60), daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    budget.keep(0, 30)
    waiting.join(10)
    assert not waiting.is_alive()
    later = threading.Thread(target=budget.take, args=(2, 60), daemon=True)
    later.start()
    budget.wait_for(2)
    later.join(10)
    assert not later.is_alive()


def waiting(budget: MemoryBudget, position: int, count: int) -> tuple[threading.Thread, list[str]]:
    """A thread that takes memory, and what came of it."""
    ended: list[str] = []

    def take() -> None:
        try:
            budget.take(position, count)
            ended.append("taken")
        except Closed:
            ended.append("closed")

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread, ended


def test_what_an_image_no_longer_holds_lets_the_next_one_in() -> None:
    budget = MemoryBudget(10)
    budget.take(0, 8)
    thread, ended = waiting(budget, 1, 5)
    thread.join(0.1)
    assert ended == []
    budget.keep(0, 3)
    thread.join(10)
    assert ended == ["taken"]


def test_what_was_before_the_image_of_the_turn_is_let_go() -> None:
    budget = MemoryBudget(10)
    budget.take(0, 10)
    thread, ended = waiting(budget, 2, 10)
    thread.join(0.1)
    assert ended == []
    budget.wait_for(1)
    thread.join(10)
    assert ended == ["taken"]


def test_closing_ends_all_waiting() -> None:
    budget = MemoryBudget(1)
    budget.take(0, 1)
    threads = [waiting(budget, position, 1) for position in (1, 2)]
    budget.close()
    for thread, ended in threads:
        thread.join(10)
        assert ended == ["closed"]
    with pytest.raises(Closed):
        budget.take(3, 1)
