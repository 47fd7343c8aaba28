"""A package can be called like the function it is named after."""

import inspect
import sys
from types import ModuleType

import pytest

import zoo
from zoo.callable_module import make_callable
from zoo.evaluate.evaluate import evaluate
from zoo.train.train import train


def test_a_module_passes_calls_on_and_stays_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("doubled")
    module.__dict__["unit"] = "m"
    monkeypatch.setitem(sys.modules, "doubled", module)
    make_callable("doubled", lambda value, *, times=2: value * times)
    assert module(3, times=4) == 12  # type: ignore[operator]  # it is callable by now
    assert inspect.ismodule(module)
    assert module.unit == "m"


def test_the_packages_have_the_signatures_of_their_functions() -> None:
    assert inspect.signature(zoo.evaluate) == inspect.signature(evaluate)
    assert inspect.signature(zoo.train) == inspect.signature(train)
    with pytest.raises(TypeError, match=r"evaluate\(\) got an unexpected keyword argument 'dta'"):
        zoo.evaluate("yolox_nano", dta="set")  # type: ignore[call-arg]  # that is what is tested
