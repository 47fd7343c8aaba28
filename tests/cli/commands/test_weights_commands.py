"""`zoo pull | verify | lock | bundle` from the shell, on YOLOX-Nano at the address of its card."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

import zoo
from zoo.registry import reload
from zoo.weights.checksum import sha256_of

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, published_yolox_nano: None) -> Run:
    folder = tmp_path / "work"
    folder.mkdir()

    def run_in(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zoo", *words]
        return subprocess.run(
            command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
        )

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


def test_verify_of_what_was_never_fetched_says_how_to_fetch_it(run: Run) -> None:
    done = run("verify", "yolox_nano")
    assert done.returncode == 1
    assert (
        done.stdout
        == "not fetched  yolox/yolox_nano.coco  Fetch it: zoo pull yolox/yolox_nano.coco\n"
    )
    assert done.stderr == "1 file: 1 not fetched.\n"


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


def test_a_bundle_serves_a_machine_with_an_empty_cache_and_no_network(
    run: Run, tmp_path: Path
) -> None:
    assert run("bundle", "yolox_nano", "--to", "carried").returncode == 0
    empty = {
        "ZOO_HOME": str(tmp_path / "empty"),
        "HF_HOME": str(tmp_path / "empty-hf"),
        "ZOO_OFFLINE": "1",
        "ZOO_MIRRORS": "",
    }
    assert run("pull", "yolox_nano", **empty).returncode == 5
    done = run("pull", "yolox_nano", ZOO_BUNDLE="carried", **empty)
    assert done.returncode == 0, done.stderr


CARD = """
schema: 2
aliases: {mine: my_model}
cards:
  my_model:
    architecture: yolox/yolox
    arguments: {depth: 0.33, width: 0.25, depthwise: true, size: 64}
    labels: [helmet, vest]
    input: {resize: letterbox, size: [64, 64], range: 255, channels: bgr, padding: 114}
    weights: {v1: {files: {model: [{kind: file, path: mine.safetensors}]}}}
  bare: {architecture: yolox/yolox, labels: [helmet]}
"""
LOAD = """
import socket, sys, zoo
def refuse(*_):
    raise AssertionError("a socket was opened")
socket.socket.connect = refuse
for name in sys.argv[1:]:
    model = zoo.load(name)
    print(type(model).__name__, model.weights.sha256, *model.label_space.names)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry file of a user's own, with a model whose weights lie beside it."""
    path = tmp_path / "own" / "cards.yaml"
    path.parent.mkdir()
    path.write_text(CARD)
    monkeypatch.setenv("ZOO_REGISTRY", str(path))
    reload()
    save_file(zoo.load("my_model", weights=False).state_dict(), path.with_name("mine.safetensors"))
    return path


def test_a_bundle_carries_a_users_own_model_to_a_machine_that_has_nothing_else(
    run: Run, own: Path, tmp_path: Path
) -> None:
    done = run("bundle", "my_model", "--to", str(tmp_path / "carried"))
    assert done.returncode == 0, done.stderr
    sha256 = sha256_of(own.with_name("mine.safetensors"))
    own.with_name("mine.safetensors").unlink()
    there = {
        "ZOO_HOME": str(tmp_path / "empty"),
        "HF_HOME": str(tmp_path / "empty-hf"),
        "ZOO_OFFLINE": "1",
        "ZOO_MIRRORS": "",
        "ZOO_REGISTRY": "",
        "ZOO_BUNDLE": str(tmp_path / "carried"),
    }
    assert [row["name"] for row in json.loads(run("list", "user/*", "--json", **there).stdout)] == [
        "my_model"
    ]
    command = [sys.executable, "-c", LOAD, "my_model", "mine", "user/my_model.v1"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | there, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"YOLOX {sha256} helmet vest"] * 3


def test_a_users_own_card_goes_before_the_same_one_in_a_bundle(
    run: Run, own: Path, tmp_path: Path
) -> None:
    run("bundle", "my_model", "--to", str(tmp_path / "carried"))
    own.write_text(CARD.replace("[helmet, vest]", "[hat, vest, boot]"))
    done = run("list", "my_model", "--json", ZOO_BUNDLE=str(tmp_path / "carried"))
    assert [row["classes"] for row in json.loads(done.stdout)] == [3]


def test_a_damaged_bundle_is_an_error_and_verify_finds_it(
    run: Run, own: Path, tmp_path: Path
) -> None:
    carried = tmp_path / "carried"
    run("bundle", "my_model", "--to", str(carried))
    [file] = carried.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    done = run("pull", "my_model", ZOO_BUNDLE=str(carried))
    assert done.returncode == 5
    assert done.stderr.startswith("Error: ")
    assert f"{file.name} in the bundle {carried}" in done.stderr
    for words, environment in (
        (("verify", "--remove"), {"ZOO_BUNDLE": str(carried)}),
        (("verify", "--bundle", str(carried)), {}),
    ):
        done = run(*words, **environment)
        assert done.returncode == 1
        assert f"damaged      user/my_model.v1  {file}" in done.stdout
        assert f"Copy the bundle {carried} to this machine again" in done.stderr
    assert file.exists()


def test_a_model_without_weights_is_told_how_to_use_it_from_the_shell(run: Run, own: Path) -> None:
    done = run("pull", "bare", "yolox_nano")
    assert done.returncode == 5
    assert "zoo detect IMAGE --model bare --weights random" in done.stderr
    assert "yolox_nano.coco" in done.stdout  # the others come all the same


def test_weights_without_a_word_are_refused_before_anything_is_fetched(run: Run) -> None:
    done = run("detect", "street.jpg", "--weights", "")
    assert done.returncode == 2
    assert "That names no weights." in done.stderr


def test_a_switch_that_can_not_be_read_is_an_error_and_not_the_network(run: Run) -> None:
    done = run("pull", "yolox_nano", ZOO_OFFLINE="banana")
    assert done.returncode == 2
    assert "'banana' is neither on (1, on, yes, true) nor off" in done.stderr


def test_a_damaged_file_that_is_fetched_again_is_a_warning(run: Run) -> None:
    run("pull", "yolox_nano")
    [file] = Path(os.environ["ZOO_HOME"]).rglob("yolox_nano.pth")
    file.write_bytes(file.read_bytes()[:-1])
    done = run("pull", "yolox_nano")
    assert done.returncode == 0
    assert (
        done.stderr == f"Warning: {file} is not what the first download says. "
        "It is removed and fetched again.\n"
    )
