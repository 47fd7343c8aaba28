"""A name and a `weights` argument: which model, which of its weights, and which file."""

from pathlib import Path

import pytest
from numpy import ones
from safetensors.numpy import save_file

from zoo.errors import MissingExtra, NameNotFound, WeightsError
from zoo.registry import Catalogue, add, catalogue
from zoo.weights.resolve import choose, is_place, resolve, wanted

CARDS = """
schema: 2
cards:
  mine:
    architecture: yolox/yolox
    labels: [a]
    weights:
      first: {files: {model: [{kind: file, path: first.safetensors}]}}
      second: {files: {model: [{kind: file, path: second.safetensors}]}}
  bare: {architecture: yolox/yolox, labels: [a]}
  heavy:
    architecture: yolox/yolox
    labels: [a]
    requires: [no-such-package]
    weights: {v1: {files: {model: [{kind: file, path: gone.safetensors}]}}}
"""


@pytest.fixture
def known(tmp_path: Path) -> Catalogue:
    """A catalogue with cards of a user's own, next to their weights."""
    for number, name in enumerate(("first", "second")):
        save_file({"w": ones(number + 1)}, tmp_path / f"{name}.safetensors")
    (tmp_path / "cards.yaml").write_text(CARDS)
    add(tmp_path / "cards.yaml")
    return catalogue()


@pytest.mark.parametrize(
    ("name", "weights", "tag"),
    [
        ("mine", True, "first"),
        ("mine", "second", "second"),
        ("mine.second", True, "second"),
        ("mine.second", "second", "second"),
        ("user/mine", "file:x.safetensors", "first"),
    ],
)
def test_the_tag_stands_in_the_name_or_in_weights(
    known: Catalogue, name: str, weights: bool | str, tag: str
) -> None:
    assert choose(known, name, weights).tag == tag


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("file:x.safetensors", True, "the network they belong to has to be named"),
        ("mine", "x.safetensors", "That looks like a file"),
        ("mine", "random", "No weights on its card have that tag"),
        ("mine.first", "second", "Those are two different tags"),
    ],
)
def test_what_can_not_be_meant_is_told_what_to_write(
    known: Catalogue, name: str, weights: str | bool, said: str
) -> None:
    with pytest.raises(NameNotFound, match=said):
        choose(known, name, weights)


def test_the_weights_of_the_card_have_their_tag_in_the_name(known: Catalogue) -> None:
    resolved = resolve(known, choose(known, "mine"))
    assert (resolved.name, resolved.weights) == ("mine.first", resolved.choice.weights)
    assert resolved.file is not None
    assert resolved.file.path.name == "first.safetensors"
    assert resolved.others == {}


def test_a_file_of_ones_own_is_not_the_cards(known: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "second.safetensors"
    resolved = resolve(known, choose(known, "mine", path), path)
    assert (resolved.name, resolved.weights) == ("mine", None)
    assert resolved.file is not None
    assert resolved.file.path == path


def test_random_weights_have_no_file(known: Catalogue) -> None:
    resolved = resolve(known, choose(known, "bare", False), False)
    assert (resolved.name, resolved.file, resolved.weights) == ("bare", None, None)


def test_a_card_without_weights_says_what_there_is_to_do(known: Catalogue) -> None:
    with pytest.raises(WeightsError, match=r"weights=False\), or a file of your own"):
        wanted(choose(known, "bare"))


def test_what_the_card_requires_is_said_before_a_file_is_looked_for(known: Catalogue) -> None:
    with pytest.raises(MissingExtra):
        resolve(known, choose(known, "heavy"))
    with pytest.raises(MissingExtra):
        resolve(known, choose(known, "heavy", False), False)


def test_places_begin_with_a_scheme_or_are_paths() -> None:
    assert is_place("file:x")
    assert is_place("hub:a/b")
    assert is_place(Path("x"))
    assert not is_place("first")
    assert not is_place(True)
