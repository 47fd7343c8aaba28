"""Families that need more than a checkpoint: `files` of the builder, and what a card requires."""

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from safetensors.torch import save_file

import zoo
from zoo import registry
from zoo.errors import CardError, IntegrityError, LabelError, MissingExtra
from zoo.testing import Toy

PLUGIN = """
    from zoo import hookimpl

    @hookimpl
    def register_architectures(register):
        register("words", "detzoo_acme_net:build")
        register("plain", "detzoo_acme_net:plain")
"""
NET = """
    import json
    from zoo.testing import Toy

    def build(*, label_space, files):
        detector = Toy(label_space)
        detector.words = json.loads(files["tokenizer"].read_text()) if files else {}
        return detector

    def plain(*, label_space):
        return Toy(label_space)
"""
CARD = """
schema: 2
cards:
  acme_s:
    architecture: acme/words
    labels: [a, b]
    weights:
      v1:
        files:
          model: [{kind: file, path: toy.safetensors}]
          tokenizer: [{kind: file, path: words.json}]
"""

Write = Callable[[str], None]


@pytest.fixture
def write(
    give_plugin: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Write:
    """Writes the registry file; next to it lie a checkpoint and a vocabulary."""
    give_plugin("acme", PLUGIN)
    (tmp_path / "site" / "detzoo_acme_net.py").write_text(dedent(NET))
    monkeypatch.setitem(sys.modules, "detzoo_acme_net", None)  # put away in the end
    monkeypatch.delitem(sys.modules, "detzoo_acme_net")
    save_file(Toy(zoo.LabelSpace.custom(["a", "b"])).state_dict(), tmp_path / "toy.safetensors")
    (tmp_path / "words.json").write_text('{"a": 1}')

    def write(text: str) -> None:
        (tmp_path / "cards.yaml").write_text(text)
        monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "cards.yaml"))
        registry.reload()

    return write


def words_of(detector: Any) -> object:
    return detector.words


def test_a_builder_gets_the_other_files_by_role(write: Write) -> None:
    write(CARD)
    detector = zoo.load("acme_s")
    assert words_of(detector) == {"a": 1}
    assert detector.name == "acme_s.v1"


def test_random_weights_come_without_files(write: Write) -> None:
    write(CARD)
    assert words_of(zoo.load("acme_s", weights=False)) == {}


def test_weights_of_ones_own_come_with_the_files_of_the_card(write: Write, tmp_path: Path) -> None:
    write(CARD)
    save_file(Toy(zoo.LabelSpace.custom(["a", "b"])).state_dict(), tmp_path / "mine.safetensors")
    assert words_of(zoo.load("acme_s", weights=tmp_path / "mine.safetensors")) == {"a": 1}


def test_a_file_is_verified_before_the_family_reads_it(write: Write) -> None:
    write(CARD.replace("path: words.json", f"path: words.json, sha256: '{'0' * 64}'"))
    with pytest.raises(IntegrityError, match=r"acme_s\.v1:tokenizer"):
        zoo.load("acme_s")


def test_an_architecture_that_takes_no_files_says_so(write: Write) -> None:
    write(CARD.replace("acme/words", "acme/plain"))
    with pytest.raises(CardError, match=r"takes no files, and the card has tokenizer") as caught:
        zoo.load("acme_s")
    assert "field 'cards.acme_s.weights'" in str(caught.value)


def test_a_missing_requirement_is_said_before_any_file_is_looked_for(write: Write) -> None:
    text = CARD.replace("    labels:", "    requires: [no-such-package>=2]\n    labels:")
    write(text.replace("path: toy.safetensors", "path: gone.safetensors"))
    with pytest.raises(MissingExtra) as caught:
        zoo.load("acme_s")
    assert caught.value.fix == "pip install 'no-such-package>=2'"


def test_an_open_card_needs_classes_and_takes_any(write: Write) -> None:
    write(CARD.replace("labels: [a, b]", "labels: open"))
    with pytest.raises(LabelError) as caught:
        zoo.load("acme_s")
    assert 'zoo.load("acme_s.v1", labels=["helmet", "vest"])' in caught.value.fix
    detector = zoo.load("acme_s", labels=["c", "d"])
    assert detector.label_space.names == ("c", "d")
    assert (detector.name, detector.head_transfer) == ("acme_s.v1[c,d]", None)
