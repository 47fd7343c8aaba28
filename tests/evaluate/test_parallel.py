"""Results come in the order of their items, however long each takes, and few are in flight."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from zoo.evaluate.parallel import in_order


def test_results_come_in_order_whichever_is_done_first() -> None:
    def work(item: int) -> int:
        time.sleep(0.02 if item % 2 else 0.001)
        return item

    with ThreadPoolExecutor(4) as pool:
        assert list(in_order(pool, work, range(20), ahead=5)) == list(range(20))


def test_no_more_are_begun_than_are_wanted_ahead() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        results = in_order(pool, begun.append, range(100), ahead=3)
        next(results)
    assert len(begun) <= 4


def test_the_first_error_is_raised_in_its_place() -> None:
    later = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            later.wait(5)
            raise KeyError(item)
        if item == 2:
            later.set()
            raise ValueError(item)
        return item

    with ThreadPoolExecutor(3) as pool:
        results = in_order(pool, work, range(3), ahead=3)
        assert next(results) == 0
        with pytest.raises(KeyError):
            next(results)
