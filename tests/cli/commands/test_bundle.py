"""`zoo bundle` from the shell: a folder that a machine without a network loads from."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from safetensors.torch import save_file

import zoo
from zoo.registry import reload
from zoo.weights.records import sha256_of

Shell = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


def cached() -> list[Path]:
    return sorted(Path(os.environ["ZOO_HOME"]).rglob("*.safetensors"))


def test_a_bundle_serves_a_machine_with_an_empty_cache_and_no_network(
    run_published: Run, tmp_path: Path
) -> None:
    assert run_published("bundle", "yolox_nano", "--to", "carried").returncode == 0
    empty = {
        "ZOO_HOME": str(tmp_path / "empty"),
        "HF_HOME": str(tmp_path / "empty-hf"),
        "ZOO_OFFLINE": "1",
        "ZOO_MIRRORS": "",
    }
    assert run_published("pull", "yolox_nano", **empty).returncode == 5
    done = run_published("pull", "yolox_nano", ZOO_BUNDLE="carried", **empty)
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
    run_published: Run, own: Path, tmp_path: Path
) -> None:
    done = run_published("bundle", "my_model", "--to", str(tmp_path / "carried"))
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
    assert [
        row["name"] for row in json.loads(run_published("list", "user/*", "--json", **there).stdout)
    ] == ["my_model"]
    command = [sys.executable, "-c", LOAD, "my_model", "mine", "user/my_model.v1"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | there, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"YOLOX {sha256} helmet vest"] * 3


def test_a_users_own_card_goes_before_the_same_one_in_a_bundle(
    run_published: Run, own: Path, tmp_path: Path
) -> None:
    run_published("bundle", "my_model", "--to", str(tmp_path / "carried"))
    own.write_text(CARD.replace("[helmet, vest]", "[hat, vest, boot]"))
    done = run_published("list", "my_model", "--json", ZOO_BUNDLE=str(tmp_path / "carried"))
    assert [row["classes"] for row in json.loads(done.stdout)] == [3]


def test_a_damaged_bundle_is_an_error_and_verify_finds_it(
    run_published: Run, own: Path, tmp_path: Path
) -> None:
    carried = tmp_path / "carried"
    run_published("bundle", "my_model", "--to", str(carried))
    [file] = carried.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    done = run_published("pull", "my_model", ZOO_BUNDLE=str(carried))
    assert done.returncode == 5
    assert done.stderr.startswith("Error: ")
    assert f"{file.name} in the bundle {carried}" in done.stderr
    for words, environment in (
        (("verify", "--remove"), {"ZOO_BUNDLE": str(carried)}),
        (("verify", "--bundle", str(carried)), {}),
    ):
        done = run_published(*words, **environment)
        assert done.returncode == 1
        assert f"damaged      user/my_model.v1  {file}" in done.stdout
        assert f"Copy the bundle {carried} to this machine again" in done.stderr
    assert file.exists()


def test_a_model_without_weights_is_told_how_to_use_it_from_the_shell(
    run_published: Run, own: Path
) -> None:
    done = run_published("pull", "bare", "yolox_nano")
    assert done.returncode == 1
    assert "zoo detect IMAGE --model bare --weights random" in done.stderr
    assert "yolox_nano.coco" in done.stdout  # the others come all the same


def test_weights_without_a_word_are_refused_before_anything_is_fetched(run_published: Run) -> None:
    done = run_published("detect", "street.jpg", "--weights", "")
    assert done.returncode == 2
    assert "That names no weights." in done.stderr


def test_a_switch_that_can_not_be_read_is_an_error_and_not_the_network(run_published: Run) -> None:
    done = run_published("pull", "yolox_nano", ZOO_OFFLINE="banana")
    assert done.returncode == 2
    assert "'banana' is neither on (1, on, yes, true) nor off" in done.stderr


def test_a_damaged_file_that_is_fetched_again_is_a_warning(run_published: Run) -> None:
    run_published("pull", "yolox_nano")
    [file] = Path(os.environ["ZOO_HOME"]).rglob("yolox_nano.pth")
    file.write_bytes(file.read_bytes()[:-1])
    done = run_published("pull", "yolox_nano")
    assert done.returncode == 0
    assert (
        done.stderr == f"Warning: {file} is not what the first download says. "
        "It is removed and fetched again.\n"
    )


def pulled(shell: Shell, name: str) -> dict[str, Any]:
    """What `zoo pull` says of the weights of a name."""
    done = shell("pull", name, "--json")
    assert done.code == 0, done.err
    [row] = json.loads(done.out)
    return row


@pytest.mark.parametrize("known", [False, True])
def test_a_folder_keeps_its_weights_whatever_a_bundle_has_of_another_of_its_name(
    shell: Shell, sites: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    wanted = sha256_of(sites / "b/site/best.safetensors")
    card = sites / "b/site/card.yaml"
    if known:
        here = "path: best.safetensors"
        card.write_text(card.read_text().replace(here, f"{here}, sha256: '{wanted}'"))
    shell("bundle", "file:a/site", "--to", "bun")
    monkeypatch.setenv("ZOO_BUNDLE", "bun")
    assert pulled(shell, "file:b/site")["sha256"] == wanted
    assert pulled(shell, "file:b/site")["through"] is None


def test_a_folder_in_a_bundle_is_a_model_by_its_name(
    shell: Shell, sites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = sha256_of(sites / "a/site/best.safetensors")
    assert shell("bundle", "file:a/site", "--to", "bun").code == 0
    rmtree(sites / "a")
    monkeypatch.setenv("ZOO_BUNDLE", "bun")
    row = pulled(shell, "site")
    assert (row["name"], row["sha256"]) == ("user/site.best", wanted)
    assert row["through"].startswith("bundle:")


def test_two_models_of_one_name_do_not_go_into_one_bundle(shell: Shell, sites: Path) -> None:
    done = shell("bundle", "file:a/site", "file:b/site", "--to", "bun")
    assert done.code == 2
    assert "Both are called 'user/site'" in done.err
    assert not (sites / "bun").exists()


def test_a_bundle_does_not_go_before_a_file_that_was_made_again(
    run_published: Run, own: Path, tmp_path: Path
) -> None:
    carried = str(tmp_path / "carried")
    run_published("bundle", "my_model", "--to", carried)
    state = zoo.load("my_model", weights=False).state_dict()
    save_file({name: value + 1 for name, value in state.items()}, own.with_name("mine.safetensors"))
    done = run_published("pull", "my_model", "--json", ZOO_BUNDLE=carried)
    [row] = json.loads(done.stdout)
    assert row["sha256"] == sha256_of(own.with_name("mine.safetensors"))
