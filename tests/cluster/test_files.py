"""A model's files are taken where they are, or are sent and kept by their hash."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from zoo import catalogue
from zoo.cluster.files import content_of, is_same, locate
from zoo.cluster.job import AbsentFiles, SentModel
from zoo.weights.resolve import choose, resolve


@pytest.fixture
def sent(nano: str) -> SentModel:
    """YOLOX-Nano with weights in a file."""
    known = catalogue()
    return SentModel(resolve(known, choose(known, "yolox_nano"), nano))


def test_a_file_that_is_here_is_taken_as_it_is(sent: SentModel) -> None:
    made = locate(sent, {})
    assert isinstance(made, SentModel)
    assert made.resolved == sent.resolved


def test_a_file_that_is_not_here_is_asked_for_and_kept(sent: SentModel, tmp_path: Path) -> None:
    assert sent.resolved is not None
    assert sent.resolved.file is not None
    content = content_of(sent.resolved.file)
    elsewhere = _elsewhere(sent, tmp_path)
    assert locate(elsewhere, {}) == AbsentFiles(("model",))
    assert locate(elsewhere, {"model": content[:-1]}) == AbsentFiles(("model",))
    made = locate(elsewhere, {"model": content})
    assert isinstance(made, SentModel)
    assert made.resolved is not None
    assert made.resolved.file is not None
    path = made.resolved.file.path
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sent.resolved.file.sha256
    assert made.resolved.file.sha256 == sent.resolved.file.sha256
    again = locate(elsewhere, {})
    assert isinstance(again, SentModel)  # it is kept
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert locate(elsewhere, {}) == AbsentFiles(("model",))


def test_another_content_at_the_same_path_is_not_taken(sent: SentModel, tmp_path: Path) -> None:
    assert sent.resolved is not None
    assert sent.resolved.file is not None
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"something else")
    assert not is_same(replace(sent.resolved.file, path=other, published=other))


def test_a_detector_at_hand_has_no_files() -> None:
    model = SentModel()
    assert locate(model, {}) is model


def _elsewhere(sent: SentModel, folder: Path) -> SentModel:
    """The same with paths that are not on this machine."""
    assert sent.resolved is not None
    files = {
        role: replace(file, path=folder / "gone.safetensors", published=folder / "gone.safetensors")
        for role, file in sent.resolved.files.items()
    }
    return replace(sent, resolved=replace(sent.resolved, files=files))
