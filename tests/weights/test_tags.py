"""The weights with a tag, of a model in a folder, a repository or an exported file."""

from pathlib import Path

import pytest
from numpy import ones
from safetensors.numpy import save_file

from zoo.errors import NameNotFound
from zoo.registry import catalogue
from zoo.testing import LoopbackHub
from zoo.weights.resolve import choose, resolve

CARD = """
schema: 2
cards:
  m_v1:
    architecture: yolox/yolox
    labels: [a]
    weights:
      first: {files: {model: [{kind: file, path: first.safetensors}]}}
      second: {files: {model: [{kind: file, path: second.safetensors}]}}
"""
BARE = CARD.partition("    weights:")[0]


def folder_of(tmp_path: Path, card: str = CARD) -> Path:
    """The folder `run.v1` with a model, and the weights beside it."""
    folder = tmp_path / "run.v1"
    folder.mkdir()
    (folder / "card.yaml").write_text(card)
    for number, name in enumerate(("first", "second")):
        save_file({"w": ones(number + 1)}, folder / f"{name}.safetensors")
    return folder


@pytest.mark.parametrize("tag", ["first", "second"])
def test_each_of_the_weights_in_a_folder_is_loaded_by_its_tag(tmp_path: Path, tag: str) -> None:
    folder = folder_of(tmp_path)
    resolved = resolve(catalogue(), choose(catalogue(), f"file:{folder}", tag), tag)
    assert resolved.name == f"m_v1.{tag}"
    assert resolved.file is not None
    assert resolved.file.path == folder / f"{tag}.safetensors"


def test_a_tag_that_a_folder_does_not_have_is_told_those_that_it_has(tmp_path: Path) -> None:
    name = f"file:{folder_of(tmp_path)}"
    with pytest.raises(NameNotFound) as caught:
        choose(catalogue(), name, "secnd")
    assert caught.value.case == "No weights on its card have that tag; it has first, second."
    assert caught.value.fix == f'Name one of those: zoo.load("{name}", weights="second")'


def test_a_tag_of_a_folder_without_weights_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NameNotFound, match="Its card has no weights"):
        choose(catalogue(), f"file:{folder_of(tmp_path, BARE)}", "first")


def test_a_tag_that_a_repository_does_not_have_is_told_those_that_it_has(hub: LoopbackHub) -> None:
    hub.add("me/m.v1", {"card.yaml": CARD.encode()})
    assert choose(catalogue(), "hub:me/m.v1", "second").tag == "second"
    with pytest.raises(NameNotFound, match=r'zoo\.load\("hub:me/m\.v1", weights="first"\)'):
        choose(catalogue(), "hub:me/m.v1", "nope")
