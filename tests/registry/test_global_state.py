"""Places that belong to everybody are looked at, and put back."""

import locale
import os
import signal
import warnings
from pathlib import Path

import pytest

from zoo.registry.global_state import PLACES, put_back, snapshot


def test_nothing_is_told_if_nothing_changes() -> None:
    assert list(put_back(snapshot())) == []


def test_variables_and_the_working_folder_are_put_back(tmp_path: Path) -> None:
    folder = os.getcwd()
    before = snapshot()
    os.environ["ZOO_TEST_OF_TAMPERING"] = "1"
    os.chdir(tmp_path)
    told = dict(put_back(before))
    assert told == {
        "ZOO_TEST_OF_TAMPERING in the environment": True,
        "the working folder": True,
    }
    assert "ZOO_TEST_OF_TAMPERING" not in os.environ
    assert os.getcwd() == folder


def test_other_variables_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot()
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    assert list(put_back(before)) == []


def test_signals_are_put_back() -> None:
    before = snapshot()
    given = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert ("what signals do", True) in list(put_back(before))
    assert signal.getsignal(signal.SIGTERM) == given


def test_places_are_named() -> None:
    modules = {place.module for place in PLACES}
    assert {"os", "signal", warnings.__name__, locale.__name__, "torch"} <= modules
