"""Code that has changed since it was imported, in whatever kind of function, is found."""

import importlib
import sys
from pathlib import Path

import pytest

import zoo
from zoo.evaluate.predictions.stale_code import check_fresh

KINDS = """
from functools import cache, wraps

def twice(function):
    @wraps(function)
    def both(*words):
        return function(*words), function(*words)
    return both

@twice
def wrapped(): return 1

@cache
def cached(): return 2

class Lamp:
    @property
    def lit(self): return 3
    @classmethod
    def made(cls): return 4
    @staticmethod
    def of(): return 5
    def plain(self): return [number for number in range(6)]
"""


@pytest.mark.parametrize(
    "old", ["return 1", "return 2", "return 3", "return 4", "return 5", "range(6)", "both(*words)"]
)
def test_whatever_kind_of_function_has_changed_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    file = tmp_path / "lamp_kinds.py"
    file.write_text(KINDS)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("lamp_kinds")
    check_fresh({file: "as imported"})
    importlib.reload(module)  # so that it is looked at once more
    file.write_text(
        KINDS.replace(
            old,
            old.replace("(*words)", "(*words, **more)")
            if "both" in old
            else f"{old[:-1]}7{old[-1:]}",
        )
    )
    with pytest.raises(zoo.errors.UsageError, match=r"lamp_kinds\.py has changed"):
        check_fresh({file: "changed"})
    del sys.modules["lamp_kinds"]


def test_code_that_is_as_it_was_imported_and_files_that_are_not_code_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lamp_same.py"
    file.write_text(KINDS)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("lamp_same")
    check_fresh({file: "as imported", tmp_path / "notes.txt": "anything"})
    check_fresh({file: "as imported"})
    check_fresh({})
    with pytest.raises(zoo.errors.UsageError, match="Start Python again") as raised:
        check_fresh({file: "changed"})
    assert raised.value.failure == "Predictions can't be kept."
    del sys.modules["lamp_same"]
