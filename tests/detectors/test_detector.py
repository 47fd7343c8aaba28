"""What every detector does by itself: predict in eval mode, and name the step that fails. What a
family's own code says of its weights and classes: an error in it names its package, and nothing
ends the process."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.contract import Thresholds
from zoo.contract.predictor import StepError
from zoo.data import read as read_data
from zoo.errors import ContractError, DataError
from zoo.labels import LabelSpace
from zoo.registry import reload
from zoo.testing import Toy
from zoo.testing.toy import Stretch

IMAGES = [torch.full((3, 40, 60), 90, dtype=torch.uint8), torch.zeros(3, 32, 32, dtype=torch.uint8)]
ALL = Thresholds(score=0.0, iou=1.0, max_boxes=16)


@pytest.fixture
def toy() -> Iterator[Toy]:
    detector = Toy(LabelSpace.custom(["red", "green", "blue"]))
    yield detector
    detector.release()


def test_it_predicts_in_eval_mode_without_gradients_and_stays_as_it_was(toy: Toy) -> None:
    toy.train()
    first, again = toy.predict(IMAGES, ALL), toy.predict(IMAGES, ALL)
    assert toy.training
    assert [one.size for one in first] == [(40, 60), (32, 32)]
    assert all(one.equals(other) for one, other in zip(first, again, strict=True))
    assert not first[0].boxes.requires_grad


def test_of_no_images_it_predicts_nothing(toy: Toy) -> None:
    assert toy.predict([], ALL) == []


def test_its_input_size_is_its_preprocess_own(toy: Toy) -> None:
    assert toy.input_size(40, 60) == (32, 32)
    toy.preprocess = Stretch((16, 64))
    assert toy.input_size(40, 60) == (16, 64)


def test_images_arrive_where_the_network_is_and_in_its_type(toy: Toy) -> None:
    toy.double()
    assert (toy.dtype, toy.device) == (torch.float64, torch.device("cpu"))
    assert len(toy.predict(IMAGES, ALL)) == 2


@pytest.mark.parametrize("step", ["preprocess", "forward", "decode"])
def test_an_error_names_its_step(step: str, toy: Toy) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("it is broken")

    vars(toy)[step] = fail
    with pytest.raises(StepError, match=f"{step} raised ValueError: it is broken"):
        toy.predict(IMAGES, ALL)


def test_a_setting_after_loading_that_it_does_not_know_is_refused(toy: Toy) -> None:
    toy.post_load({})
    with pytest.raises(ContractError, match="frozen_bn_eps"):
        toy.post_load({"frozen_bn_eps": 0.0})


Give = Callable[..., None]

PLUGIN = """
    from zoo import hookimpl

    @hookimpl
    def register_architectures(register):
        register("acme", "detzoo_acme_net:build")

    @hookimpl
    def register_datasets(register):
        register("shelf", "detzoo_acme_net:read")

    @hookimpl
    def register_cards(register):
        register({"schema": 2, "cards": {"acme_s": {"architecture": "acme", "labels": ["a"]}}})
"""
NET = """
    import os, sys
    from zoo.testing import Toy

    class Acme(Toy):
        def {method}:
            {body}

    def build(*, label_space):
        return Acme(label_space)

    def read(path):
        {reading}
"""
BODIES = {
    "raise ValueError('no')": "raised ValueError: no",
    "sys.exit(0)": "called sys.exit(0)",
    "os._exit(0)": "",
    "raise GeneratorExit": "raised GeneratorExit",
}
METHODS = {
    "from_checkpoint": "from_checkpoint(self, state)",
    "class_layers": "class_layers(self)",
    "post_load": "post_load(self, settings)",
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights for three classes."""
    path = tmp_path / "toy.safetensors"
    save_file(Toy(zoo.LabelSpace.custom(["a", "b", "c"])).state_dict(), path)
    return path


@pytest.fixture
def give(give_plugin: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def give(method: str = "nothing(self)", body: str = "pass", reading: str = "pass") -> None:
        give_plugin("acme", PLUGIN)
        net = dedent(NET.format(method=method, body=body, reading=reading))
        (tmp_path / "site" / "detzoo_acme_net.py").write_text(net)
        monkeypatch.setitem(
            sys.modules, "detzoo_acme_net", None
        )  # so that it is put away in the end
        monkeypatch.delitem(sys.modules, "detzoo_acme_net")
        reload()

    return give


@pytest.mark.parametrize("body", [body for body in BODIES if "os._exit" not in body])
@pytest.mark.parametrize("method", ["from_checkpoint", "class_layers"])
def test_what_a_family_raises_names_its_distribution(
    give: Callable[..., None], weights: Path, method: str, body: str
) -> None:
    give(METHODS[method], body)
    with pytest.raises(ContractError) as caught:
        zoo.load("acme_s", weights=f"file:{weights}")
    assert f"Its {method} {BODIES[body]}" in caught.value.case
    assert "report it there" in caught.value.fix


@pytest.mark.parametrize("method", ["from_checkpoint", "class_layers"])
def test_what_a_family_returns_is_held_to_its_type(
    give: Callable[..., None], weights: Path, method: str
) -> None:
    give(METHODS[method], "return 42")
    with pytest.raises(ContractError, match=f"Its {method} returned an int"):
        zoo.load("acme_s", weights=f"file:{weights}")


@pytest.mark.parametrize(
    ("leave", "said"), [("sys.exit(0)", "sys.exit(0)"), ("os._exit(0)", "os._exit(0)")]
)
def test_a_builder_that_leaves_ends_no_process(
    give: Callable[..., None], leave: str, said: str
) -> None:
    give("__init__(self, label_space)", leave)
    with pytest.raises(ContractError) as caught:
        zoo.load("acme_s", weights=False)
    assert f"It called {said} when it builds 'acme'." in caught.value.case
    assert "detzoo-acme 1.0" in caught.value.fix


def test_a_lack_of_memory_is_nobodys_defect(give: Callable[..., None], weights: Path) -> None:
    give(METHODS["from_checkpoint"], "raise MemoryError")
    with pytest.raises(MemoryError):
        zoo.load("acme_s", weights=f"file:{weights}")


def test_a_class_layer_that_leaves_when_it_begins_anew_is_a_contract_error() -> None:
    from zoo.contract import ClassLayer
    from zoo.detectors.class_rows import start_layer

    layer = ClassLayer("kind", channels=(0,), start=lambda _: sys.exit(0))
    with pytest.raises(ContractError, match=r"It called sys\.exit\(0\)\."):
        start_layer(layer, torch.nn.Conv2d(1, 1, 1))


def test_a_reader_that_leaves_ends_no_process(give: Callable[..., None]) -> None:
    give(reading="sys.exit(0)")
    with pytest.raises(
        ContractError, match=r"called sys\.exit\(0\) when it reads 'shelf'"
    ) as caught:
        read_data("shelf:somewhere")
    assert "detzoo-acme 1.0" in caught.value.fix


def test_a_reader_that_raises_names_its_distribution(give: Callable[..., None]) -> None:
    give(reading="return {}['boxes']")
    with pytest.raises(
        ContractError, match="The format 'shelf' raised KeyError: 'boxes'"
    ) as caught:
        read_data("shelf:somewhere")
    assert caught.value.fix == "That is a defect of detzoo-acme 1.0: report it there."


def test_a_file_that_a_reader_can_not_open_is_an_error_of_the_data(
    give: Callable[..., None],
) -> None:
    give(reading="open(path / 'labels.txt')")
    with pytest.raises(DataError, match=r"can't open 'somewhere.labels\.txt': No such file"):
        read_data("shelf:somewhere")


@pytest.mark.parametrize(
    "words",
    [["check", "acme_s", "--only", "deterministic"], ["detect", "x.png", "--model", "acme_s"]],
)
def test_a_command_ends_with_the_code_of_a_broken_contract(
    give: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    from PIL import Image

    from zoo.cli import main

    give("__init__(self, label_space)", "sys.exit(0)")
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("x.png")
    options: list[Any] = ["--weights", "random"] if words[0] == "detect" else []
    monkeypatch.setattr(sys, "argv", ["zoo", *words, *options])
    monkeypatch.setenv("COLUMNS", os.environ.get("COLUMNS", "120"))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 8
