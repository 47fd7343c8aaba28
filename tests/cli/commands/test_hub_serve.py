"""`zoo hub serve`: a folder as a Hub on this machine; what is put there can be pulled by the card
that names its commit."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.commands.hub_serve import repositories_in
from zoo.errors import UsageError

Shell = Callable[..., Any]
CARDS = """
schema: 2
cards:
  mine:
    architecture: yolox/yolox
    labels: [a]
    weights:
      street:
        files: {model: [{kind: hub, repo: you/blob, revision: REVISION, file: model.safetensors}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one repository, `you/blob`, and one file in it: a checkpoint without
    tensors."""
    place = tmp_path / "hub" / "you" / "blob"
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return tmp_path / "hub"


@pytest.fixture
def served(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The Hub of that folder, listening."""
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_what_is_served_is_pulled_by_the_card_that_names_its_commit(
    served: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert served.stdout is not None
    told = [served.stdout.readline() for _ in range(4)]
    assert re.match(r"Serving 1 repository at http://127\.0\.0\.1:\d+$", told[0])
    revision = re.search(r"you/blob  1 file, revision ([0-9a-f]{40})$", told[1].strip())
    endpoint = re.search(r"export HF_ENDPOINT=(\S+) HF_HOME=", told[3])
    assert revision
    assert endpoint
    (tmp_path / "cards.yaml").write_text(CARDS.replace("REVISION", revision[1]))
    settings = {
        "HF_ENDPOINT": endpoint[1],
        "HF_HOME": str(tmp_path / "hf"),
        "ZOO_REGISTRY": str(tmp_path / "cards.yaml"),
    }
    pulled = subprocess.run(
        [sys.executable, "-m", "zoo", "pull", "mine"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    assert pulled.returncode == 0, pulled.stderr
    served.send_signal(signal.SIGINT)
    _, said = served.communicate(timeout=60)
    assert served.returncode == 0
    assert f"/you/blob/resolve/{revision[1]}/model.safetensors" in said
    assert said.endswith("The Hub has ended.\n")
    assert "Traceback" not in said


def test_a_repository_has_every_file_that_is_not_hidden_and_not_elsewhere(
    folder: Path, tmp_path: Path
) -> None:
    place = folder / "you" / "blob"
    (place / "more").mkdir()
    (place / "more" / "README.md").touch()
    (place / ".git").mkdir()
    (place / ".git" / "config").touch()
    (tmp_path / "secret").touch()
    (place / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(place / "pipe")
    (folder / "you" / "empty").mkdir()
    assert {name: sorted(files) for name, files in repositories_in(folder, failure="").items()} == {
        "you/blob": ["model.safetensors", "more/README.md"]
    }


def test_a_folder_of_files_is_one_repository(folder: Path) -> None:
    place = folder / "you" / "blob"
    assert list(repositories_in(place, failure="")) == ["local/blob"]


@pytest.mark.parametrize("name", ["hub/you/none", "empty"])
def test_a_folder_with_nothing_to_serve_is_a_usage_error(
    folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        repositories_in(tmp_path / name, failure="")


def test_a_port_that_somebody_has_is_a_usage_error(shell: Shell, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = shell("hub", "serve", str(folder), "--port", str(port))
    assert answer.code == 2
    assert f"The port {port} can't be had" in answer.err
