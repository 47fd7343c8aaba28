"""Memory is lent up to a limit, one alone is never refused, and all comes back."""

from time import monotonic

import pytest

from zoo.serve.budget import Budget
from zoo.serve.refusal import Refusal


def test_others_wait_or_are_refused_until_bytes_are_given_back() -> None:
    budget = Budget(100)
    with budget.reserve() as first, budget.reserve() as second:
        first.take(70)
        with pytest.raises(Refusal, match="received") as refused:
            second.take(40)
        assert refused.value.status == 503
        assert refused.value.headers == {"Retry-After": "1"}
        with pytest.raises(Refusal, match="decoded"):
            second.wait_for(40, until=monotonic() + 0.02)
        first.keep(20)
        second.wait_for(40, until=monotonic() + 5)
        assert budget.held == 60
    assert budget.held == 0


def test_one_alone_may_take_more() -> None:
    budget = Budget(100)
    with budget.reserve() as share:
        share.wait_for(500, until=0)
        share.take(10)
        assert budget.held == 510
    assert budget.held == 0


def test_a_thread_that_was_given_up_gets_nothing() -> None:
    budget = Budget(100)
    with budget.reserve() as share:
        pass
    with pytest.raises(Refusal):
        share.wait_for(1, until=monotonic() + 5)
    share.keep(50)
    assert budget.held == 0
