"""`zoo lock` from the shell, on YOLOX-Nano at the address of its card."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

from zoo.weights.records import sha256_of

Shell = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_lock_pins_and_loads_obey(run_published: Run, tmp_path: Path) -> None:
    assert run_published("lock", "yolox_nano").returncode == 0
    file = tmp_path / "work" / "zoo.lock"
    pins = tomllib.loads(file.read_text())["weights"]
    assert list(pins) == ["yolox/yolox_nano.coco"]
    sha256 = pins["yolox/yolox_nano.coco"]["sha256"]
    file.write_text(file.read_text().replace(sha256, "0" * 64))
    done = run_published("pull", "yolox_nano")
    assert done.returncode == 5
    assert "not what the lock file says" in done.stderr


def test_lock_without_names_pins_what_was_fetched(run_published: Run) -> None:
    run_published("pull", "yolox_nano")
    done = run_published("lock", "--json")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["yolox/yolox_nano.coco"]


def test_lock_with_nothing_to_pin_says_so(run_published: Run) -> None:
    done = run_published("lock")
    assert done.returncode == 3
    assert "zoo lock yolox_nano" in done.stderr


def pins(folder: Path) -> dict[str, str]:
    """The sha256 of each entry of the lock file there."""
    tables = tomllib.loads((folder / "zoo.lock").read_text())["weights"]
    return {entry: table["sha256"] for entry, table in tables.items()}


def test_two_folders_with_a_model_of_one_name_are_two_pins(shell: Shell, sites: Path) -> None:
    done = shell("lock", "file:a/site", "file:./b/../b/site")
    assert (done.code, "2 names pinned" in done.err) == (0, True)
    assert pins(sites) == {
        f"file:{sites}/{place}.best": sha256_of(sites / place / "best.safetensors")
        for place in ("a/site", "b/site")
    }
    assert shell("pull", "file:a/site").code == 0


def test_lock_without_names_takes_up_what_lies_in_a_folder_now(shell: Shell, sites: Path) -> None:
    shell("lock", "file:a/site", "file:b/site")
    file = sites / "zoo.lock"
    file.write_text(file.read_text().replace("a/site.best", "a/site.other"))
    rmtree(sites / "b" / "site")
    before = pins(sites)
    done = shell("lock")
    assert done.code == 0
    assert f"No model named 'file:{sites}/b/site'." in done.err
    assert "Its pin stays as it is." in done.err
    other = sha256_of(sites / "a" / "site" / "other.safetensors")
    assert pins(sites) == before | {f"file:{sites}/a/site.other": other}


def test_lock_without_names_pins_no_folder_of_this_machine(shell: Shell, sites: Path) -> None:
    assert shell("pull", "file:a/site").code == 0
    done = shell("lock")
    assert (done.code, "none has been fetched yet" in done.err) == (3, True)
    assert not (sites / "zoo.lock").exists()


def test_lock_says_where_nothing_that_it_pins_is_there(shell: Shell, sites: Path) -> None:
    shell("lock", "file:a/site")
    rmtree(sites / "a")
    done = shell("lock")
    assert done.code == 3
    assert "No model was named, and none that it pins can be found." in done.err
