"""Eval mode for as long as somebody is inside, and every submodule as it was afterwards."""

import threading

import pytest
from torch import nn

from zoo.inference.eval_mode import eval_mode


def network() -> nn.Sequential:
    """A network in training whose second layer is frozen in eval mode."""
    made = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1), nn.Sequential(nn.Dropout()))
    made[1].eval()
    return made


def modes(module: nn.Module) -> list[bool]:
    return [one.training for one in module.modules()]


def test_every_submodule_is_as_it_was_afterwards() -> None:
    module = network()
    before = modes(module)
    with eval_mode(module):
        assert not any(modes(module))
    assert modes(module) == before == [True, True, False, True, True]


def test_it_is_as_it_was_after_an_error_too() -> None:
    module = network()
    with pytest.raises(ValueError, match="inside"), eval_mode(module):
        raise ValueError("inside")
    assert modes(module) == [True, True, False, True, True]


def test_a_module_in_eval_mode_stays_so() -> None:
    module = network().eval()
    with eval_mode(module):
        pass
    assert not any(modes(module))


def test_the_last_one_out_restores() -> None:
    module = network()
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with eval_mode(module):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(10)
    with eval_mode(module), eval_mode(module):
        pass
    assert not any(modes(module))
    leave.set()
    thread.join()
    assert modes(module) == [True, True, False, True, True]
