"""The `zoo` that most tests start answers as `python -m zoo` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo


def answer(*command: str | Path, folder: Path, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("list", "yolox_*", "--json"),
        ("nonsense",),
        ("detect", "missing.png"),
        ("show", "yolox_nano", "é"),
    ],
    ids=lambda words: words[0],
)
def test_it_prints_and_ends_as_a_process_of_its_own(
    warm: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    usual = answer(sys.executable, "-m", "zoo", *words, folder=tmp_path)
    assert answer(warm, *words, folder=tmp_path) == usual
    assert bool(usual[1]) != bool(usual[2])


def test_it_has_the_callers_environment(warm: Path, tmp_path: Path) -> None:
    cards = answer(warm, "list", "--json", folder=tmp_path)[1]
    fewer = answer(warm, "list", "--json", folder=tmp_path, ZOO_PLUGINS="yolox")[1]
    assert 0 < fewer.count("architecture") < cards.count("architecture")


def test_it_imports_from_the_folders_of_the_callers_path(warm: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "zoo.py").write_text("import os, sys; print(os.environ['PYTHONPATH'], *sys.path)")
    path = f"{elsewhere}{os.pathsep}{tmp_path}"
    said = answer(warm, folder=tmp_path, PYTHONPATH=path)[1]
    usual = answer(sys.executable, "-m", "zoo", folder=tmp_path, PYTHONPATH=path)[1]
    assert said.startswith(f"{path} ")
    assert said.split()[2:] == usual.split()[2:]  # the first is where the program stands
    assert zoo.__version__ in answer(warm, "--version", folder=tmp_path)[1]


def test_a_variable_that_is_read_at_the_start_gets_a_start(warm: Path, tmp_path: Path) -> None:
    (tmp_path / "zoo.py").write_text("import sys; print(sys.flags.optimize)")
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONOPTIMIZE": "1"}
    assert answer(warm, folder=tmp_path, **environment)[1] == "1\n"
