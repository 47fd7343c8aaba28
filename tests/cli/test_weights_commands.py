"""`zoo pull | verify | lock | bundle` from the shell, on YOLOX-Nano at the address its card gives."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, published_yolox_nano: None) -> Run:
    folder = tmp_path / "work"
    folder.mkdir()

    def run_in(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zoo", *words]
        return subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)

    return run_in


def cached() -> list[Path]:
    return sorted(Path(os.environ["ZOO_HOME"]).rglob("*.safetensors"))


def test_pull_fetches_and_a_later_load_needs_no_network(run: Run) -> None:
    done = run("pull", "yolox_nano", "--json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert row["name"] == "yolox/yolox_nano.coco"
    assert len(row["sha256"]) == 64
    assert run("pull", "yolox_nano", ZOO_OFFLINE="1").returncode == 0


def test_pull_goes_on_after_a_failure(run: Run) -> None:
    done = run("pull", "yolox_tiny", "yolox_nano", ZOO_RETRIES="0")
    assert done.returncode == 5
    assert "yolox_tiny" in done.stderr
    assert "yolox_nano.coco" in done.stdout


def test_pull_of_a_wrong_name_suggests_the_right_one(run: Run) -> None:
    done = run("pull", "yolox_nan")
    assert done.returncode == 3
    assert "yolox_nano" in done.stderr


def test_verify_says_that_all_is_well(run: Run) -> None:
    run("pull", "yolox_nano")
    assert run("verify").returncode == 0
    assert {row["status"] for row in json.loads(run("verify", "--json").stdout)} == {"ok"}


def test_verify_finds_a_flipped_bit_that_left_size_and_time_alone(run: Run, tmp_path: Path) -> None:
    run("pull", "yolox_nano")
    [file] = cached()
    before = file.stat()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = run("verify")
    assert done.returncode == 1
    assert "damaged" in done.stdout
    assert run("verify", "--remove").returncode == 1
    assert not file.exists()
    assert run("pull", "yolox_nano").returncode == 0
    assert run("verify").returncode == 0


def test_verify_of_what_was_never_fetched_says_missing(run: Run) -> None:
    done = run("verify", "yolox_nano")
    assert done.returncode == 1
    assert "missing" in done.stdout


def test_lock_pins_and_loads_obey(run: Run, tmp_path: Path) -> None:
    assert run("lock", "yolox_nano").returncode == 0
    file = tmp_path / "work" / "zoo.lock"
    pins = tomllib.loads(file.read_text())["weights"]
    assert list(pins) == ["yolox/yolox_nano.coco"]
    sha256 = pins["yolox/yolox_nano.coco"]["sha256"]
    file.write_text(file.read_text().replace(sha256, "0" * 64))
    done = run("pull", "yolox_nano")
    assert done.returncode == 5
    assert "not what the lock file says" in done.stderr


def test_lock_without_names_pins_what_was_fetched(run: Run) -> None:
    run("pull", "yolox_nano")
    done = run("lock", "--json")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["yolox/yolox_nano.coco"]


def test_lock_with_nothing_to_pin_says_so(run: Run) -> None:
    done = run("lock")
    assert done.returncode == 3
    assert "zoo lock yolox_nano" in done.stderr


def test_a_bundle_serves_a_machine_with_an_empty_cache_and_no_network(run: Run, tmp_path: Path) -> None:
    assert run("bundle", "yolox_nano", "--to", "carried").returncode == 0
    empty = {"ZOO_HOME": str(tmp_path / "empty"), "HF_HOME": str(tmp_path / "empty-hf"), "ZOO_OFFLINE": "1", "ZOO_MIRRORS": ""}
    assert run("pull", "yolox_nano", **empty).returncode == 5
    done = run("pull", "yolox_nano", ZOO_BUNDLE="carried", **empty)
    assert done.returncode == 0, done.stderr
