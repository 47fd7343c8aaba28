"""A function runs in a process that finds modules as this one does, and none in the folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from zoo.own_process import command_for


def test_a_function_is_called_with_its_arguments_and_the_paths_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.py").write_text(
        "import sys\ndef show(*words): print(*words, len(sys.path), sep='|')\n"
    )
    (tmp_path / "json.py").write_text("raise SystemExit('code of the current folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "here"))
    for words in ((), ("two words", "--json", "'")):
        command = command_for("mine", "show", *words)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.rstrip("\n") == "|".join((*words, str(len(sys.path))))
