"""`zoo push` from the shell, of a folder with a card and weights."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.testing import LoopbackHub

Shell = Callable[..., Any]
TOKEN = "hf_secret"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    with LoopbackHub() as running:
        running.allow(TOKEN, "org")
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model without a report: the embedded one, as a run would have left it."""
    import zoo
    from zoo.registry import catalogue
    from zoo.train.card import card_of, write_card
    from zoo.train.recipe import Recipe
    from zoo.train.run_folder import write_weights

    detector = zoo.load("yolox_nano", weights=False, labels=["helmet"])
    choice = catalogue().resolve("yolox_nano")
    write_weights(tmp_path / "model.safetensors", detector.state_dict())
    card = card_of(detector, choice, Recipe(model="yolox_nano"))
    assert card is not None
    write_card(tmp_path, card, choice=choice, name="net", note="Trained on site.")
    return tmp_path


def test_a_result_is_pushed_shown_and_asked_for_its_licence(
    hub: LoopbackHub, folder: Path, shell: Shell, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    done = shell("push", str(folder), "org/net", "--token-file", str(token), "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["name"] == "hub:org/net"
    assert facts["licenses"]["weights"] is None
    assert "--license" in done.err
    pinned = f"{facts['name']}@{facts['revision']}"
    again = shell("push", str(folder), "org/net", "--token-file", str(token), "--license", "MIT")
    assert again.err == ""
    assert again.out.startswith("hub:org/net@")
    shown = shell("show", pinned)
    assert f"zoo detect IMAGE --model {pinned}" in " ".join(shown.out.split())
    assert shell("show", "hub:org/net", "--json").code == 0
    assert "MIT" in shell("show", "hub:org/net").out
    assert hub.files("org/net")


def test_without_a_token_nothing_is_sent(hub: LoopbackHub, folder: Path, shell: Shell) -> None:
    done = shell("push", str(folder), "org/net")
    assert (done.code, done.out) == (12, "")
    assert "--token-file" in done.err
    assert hub.requests == ()


@pytest.mark.parametrize("text", ["", "one two", None])
def test_a_file_without_a_token_is_a_usage_mistake(
    folder: Path, shell: Shell, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
    done = shell("push", str(folder), "org/net", "--token-file", str(path))
    assert done.code == 2
    assert "--token-file" in done.err


def test_a_folder_of_something_else_is_said_to_be_so(shell: Shell, tmp_path: Path) -> None:
    done = shell("push", str(tmp_path), "org/net")
    assert done.code == 3
    assert "no run has ended there" in done.err
