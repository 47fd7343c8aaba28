"""As many as may be are let in; one more is told to come again."""

import pytest

from zoo.serve.gate import Gate
from zoo.serve.refusal import Refusal


def test_one_more_is_refused_until_another_leaves() -> None:
    gate = Gate(1)
    with gate.admit():
        assert gate.inside == 1
        with pytest.raises(Refusal) as refused, gate.admit():
            pass
        assert refused.value.status == 503
    with gate.admit():
        pass
    assert gate.inside == 0
