"""The model under test: its name is resolved once for a run, and its files are verified once."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from safetensors.torch import save_file

import zoo
from zoo import registry
from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.evaluate import predict
from zoo.registry import Catalogue
from zoo.testing import Toy
from zoo.weights.resolve import choose, resolve

PLUGIN = """
    from zoo import hookimpl

    @hookimpl
    def register_architectures(register):
        register("toy", build)

    def build(*, label_space, files):
        from zoo.testing import Toy
        return Toy(label_space)
"""
CARDS = """
schema: 2
cards:
  acme_s:
    architecture: acme/toy
    labels: [person, dog]
    weights:
      v1:
        files:
          model: [{kind: file, path: toy.safetensors}]
          config: [{kind: file, path: config.json}]
"""


@pytest.fixture
def cards(
    give_plugin: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A registry file with one model of two files, which lie next to it."""
    give_plugin("acme", PLUGIN)
    space = zoo.LabelSpace.custom(["person", "dog"])
    save_file(Toy(space).state_dict(), tmp_path / "toy.safetensors")
    (tmp_path / "config.json").write_text("{}")
    path = tmp_path / "cards.yaml"
    path.write_text(dedent(CARDS))
    monkeypatch.setenv("ZOO_REGISTRY", str(path))
    registry.reload()
    return path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a name was resolved, a file looked for, and a file hashed."""
    counter = Counter[str]()

    def count(owner: object, name: str) -> None:
        whole = getattr(owner, name)

        @wraps(whole)
        def counted(*arguments: Any, **options: Any) -> Any:
            counter[name] += 1
            return whole(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    count(Catalogue, "resolve")
    count(sys.modules["zoo.weights.resolve"], "take")
    count(sys.modules["zoo.weights.verification"], "sha256_of")
    return counter


def test_a_name_is_resolved_once_for_an_evaluation(
    cards: Path, street: Dataset, calls: Counter[str]
) -> None:
    report = zoo.evaluate("acme_s", data=street)
    assert report.provenance["model"] == "acme_s.v1"
    assert calls == {"resolve": 1, "take": 2, "sha256_of": 2}  # one per file


def test_a_name_is_resolved_once_for_predictions_and_for_a_load(
    cards: Path, street: Dataset, calls: Counter[str]
) -> None:
    predict("acme_s", data=street)
    assert (calls["resolve"], calls["take"]) == (1, 2)
    zoo.load("acme_s")
    assert (calls["resolve"], calls["take"]) == (2, 4)


def test_a_resolved_model_is_not_resolved_again(
    cards: Path, street: Dataset, calls: Counter[str]
) -> None:
    known = registry.catalogue()
    resolved = resolve(known, choose(known, "acme_s"))
    predictions = predict(resolved, data=street)
    assert predictions.provenance["model"] == "acme_s.v1"
    assert (calls["resolve"], calls["take"]) == (1, 2)


def test_another_file_than_the_checkpoint_makes_another_run(
    cards: Path, street: Dataset, tmp_path: Path
) -> None:
    first = predict("acme_s", data=street, to=tmp_path / "runs")
    assert "config" in first.provenance["files_sha256"]
    (tmp_path / "config.json").write_text('{"changed": 1}')
    second = predict("acme_s", data=street, to=tmp_path / "runs")
    assert first.path != second.path


def test_a_run_with_a_head_that_follows_from_the_card_is_kept_and_a_random_one_is_not(
    cards: Path, street: Dataset
) -> None:
    fewer = predict("acme_s", data=street, labels=["dog"])
    assert (fewer.names, fewer.provenance["model"]) == (("dog",), "acme_s.v1[dog]")
    assert fewer.path is not None
    new = predict("acme_s", data=street, labels=["dog", "kite"])
    assert (new.names, new.path) == (("dog", "kite"), None)
    assert "state_sha256" in new.provenance


def test_a_file_of_ones_own_with_another_head_is_measured_by_name(
    cards: Path, street: Dataset, tmp_path: Path
) -> None:
    own = tmp_path / "own.safetensors"
    save_file(Toy(zoo.LabelSpace.custom(["dog", "kite", "person"])).state_dict(), own)
    labels = ["dog", "kite", "person"]
    first = predict("acme_s", data=street, weights=own, labels=labels)
    assert first.names == tuple(labels)
    assert predict("acme_s", data=street, weights=own, labels=labels).path == first.path


class Mine:
    """A predictor that inherits nothing and is no network."""

    name = "mine"

    def __init__(self, toy: Toy) -> None:
        self._toy = toy
        self.label_space, self.defaults = toy.label_space, toy.defaults
        self.device = toy.device

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        return self._toy.input_size(height, width)

    def predict(self, images: Any, thresholds: Any) -> Any:
        return self._toy.predict(images, thresholds)


def test_what_has_the_members_of_a_predictor_is_measured_like_a_detector(
    street: Dataset, tmp_path: Path
) -> None:
    toy = Toy(street.label_space)
    mine = Mine(toy)
    one, other = (zoo.evaluate(each, data=street, resamples=0) for each in (mine, toy))
    assert one.numbers == other.numbers
    first, again = (predict(mine, data=street, to=tmp_path) for _ in range(2))
    assert first.provenance["model"] == "mine"
    assert first.provenance["code_sha256"] == again.provenance["code_sha256"]
    assert first.provenance["state_sha256"] != again.provenance["state_sha256"]


def test_what_lacks_a_member_of_a_predictor_is_told_which(street: Dataset) -> None:
    mine = Mine(Toy(street.label_space))
    del mine.defaults
    with pytest.raises(UsageError, match=r"can't be run(.|\n)*It has no `defaults`"):
        predict(mine, data=street)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"The class Mine can't be run(.|\n)*Make one: Mine\(\)"):
        predict(Mine, data=street)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("label_space", ["person"], "is a list, and has to be a zoo.LabelSpace"),
        ("defaults", None, "is None, and has to be a zoo.contract.Thresholds"),
        ("device", "cpu", "is a str, and has to be a torch.device"),
        ("name", 5, "is an int, and has to be a text"),
    ],
)
def test_a_member_of_another_type_is_told_what_it_has_to_be(
    street: Dataset, member: str, value: object, said: str
) -> None:
    mine = Mine(Toy(street.label_space))
    setattr(mine, member, value)
    with pytest.raises(UsageError, match=f"Its `{member}` {said}"):
        predict(mine, data=street)
