"""A folder has one holder at a time, whose process is named to the others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.folder_lock import HOLDER, FolderHeld, hold_folder

HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from zoo.folder_lock import hold_folder
with hold_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_is_told_of_the_first(tmp_path: Path) -> None:
    with hold_folder(tmp_path / "new"):
        with pytest.raises(FolderHeld, match=f"^Process {os.getpid()} on .*, since 20"):
            hold_folder(tmp_path / "new").__enter__()
        (tmp_path / "new" / HOLDER).unlink()
        with pytest.raises(FolderHeld, match=r"^Another process$"):
            hold_folder(tmp_path / "new").__enter__()
    with hold_folder(tmp_path / "new"):
        pass
    assert not (tmp_path / "new" / HOLDER).exists()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLD_UNTIL_KILLED, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FolderHeld, match=f"^Process {other.pid} on "):
            hold_folder(tmp_path).__enter__()
        other.kill()
    with hold_folder(tmp_path):
        assert f"Process {os.getpid()} on " in (tmp_path / HOLDER).read_text()


def test_a_file_can_not_be_held(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="exists"), hold_folder(tmp_path / "file"):
        pass
