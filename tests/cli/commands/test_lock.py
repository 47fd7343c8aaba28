"""`zoo lock` from the shell, on YOLOX-Nano at the address of its card."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

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
