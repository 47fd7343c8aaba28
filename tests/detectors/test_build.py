"""A card's arguments: a wrong one is named with file, line and field, and a defect of the
architecture is none of them. Too large a network is not built, and on the meta device nothing is
drawn."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import torch
from torch import nn

import zoo
from zoo.detectors import build
from zoo.detectors.build import on_meta_device
from zoo.errors import CardError, ContractError
from zoo.registry import add, catalogue

Refused = Callable[[str, str], CardError]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """The error over a card of one's own with these arguments, which stand on line 5."""

    def load(architecture: str, arguments: str) -> CardError:
        mine = tmp_path / "mine.yaml"
        mine.write_text(
            f"schema: 2\ncards:\n  mine:\n    architecture: {architecture}\n    arguments: "
            f"{arguments}\n    labels: [a]\n"
        )
        add(mine)
        with pytest.raises(CardError) as caught:
            zoo.load("mine", weights=False)
        assert str(mine) in str(caught.value)
        assert "ine 5, field 'cards.mine.arguments" in str(caught.value)
        return caught.value

    return load


def test_an_argument_of_another_type_is_named(refused: Refused) -> None:
    error = refused("yolox/yolox", "{depth: banana, width: 0.25}")
    assert (
        error.case
        == "Line 5, field 'cards.mine.arguments.depth': Expected a number, got text: 'banana'."
    )
    assert (
        error.fix
        == "The architecture 'yolox/yolox' takes: depth, width, depthwise, backbone, size."
    )


def test_a_value_over_which_the_builder_fails_is_named(refused: Refused) -> None:
    error = refused("yolox/yolox", "{depth: 0.33, width: -1}")
    assert (
        "field 'cards.mine.arguments.width': The architecture can't be built with that. Its builder"
        in error.case
    )


def test_values_that_are_wrong_together_are_the_arguments(refused: Refused) -> None:
    assert refused("yolox/yolox", "{size: 100, width: -1}").failure.endswith(
        "field 'cards.mine.arguments'."
    )


def test_what_the_builder_itself_refuses_gets_its_place(refused: Refused) -> None:
    error = refused("yolox/yolox", "{size: 100}")
    assert error.failure.startswith(
        "The architecture yolox was built with size=100. The card says so in "
    )
    assert error.failure.endswith("line 5, field 'cards.mine.arguments.size'.")
    assert error.fix == "Use size: 96 or size: 128."


def test_an_argument_that_the_architecture_does_not_take_is_named(refused: Refused) -> None:
    assert "field 'cards.mine.arguments.deepth'" in refused("yolox/yolox", "{deepth: 3}").case


def test_a_part_of_a_composed_card_that_does_not_exist_is_named(refused: Refused) -> None:
    error = refused("compose", "{backbone: torchvision/resnet18, neck: banana, head: retinanet}")
    assert error.failure.endswith(
        "field 'cards.mine.arguments'."
    )  # without a neck the rest does not fit either
    assert "torchvision/fpn" in error.fix


def test_a_defect_that_no_argument_helps_is_the_architectures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "schema: 2\ncards: {mine: {architecture: yolox/yolox, arguments: {depth: 0.33}, labels: "
        "[a]}}\n"
    )
    add(mine)

    def broken(**_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("detzoo_yolox.detector.build", broken)
    with pytest.raises(ContractError, match="ZeroDivisionError: division by zero"):
        zoo.load("mine", weights=False)


def test_a_builder_may_change_the_lists_it_is_given_and_is_looked_up_once(
    tmp_path: Path, give_plugin: Callable[..., None]
) -> None:
    give_plugin(
        "acme",
        """
        from zoo import hookimpl

        @hookimpl
        def register_architectures(register):
            register("net", "acme_net:build")
        """,
    )
    (tmp_path / "site" / "acme_net.py").write_text(
        "from zoo.testing import Toy\n\n\ndef build(*, label_space, widths: list):\n"
        "    widths.append(8)\n    detector = Toy(label_space)\n"
        "    detector.widths = widths\n    return detector\n"
    )
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "schema: 2\n"
        "cards: {mine: {architecture: acme/net, arguments: {widths: [4]}, labels: [a]}}\n"
    )
    add(mine)
    built = [zoo.load("mine", weights=False) for _ in range(2)]
    assert [detector.widths for detector in built] == [[4, 8], [4, 8]]
    assert catalogue().resolve("mine").entry.card.arguments == {"widths": [4]}
    first, again = (catalogue().builder("architectures", "acme/net") for _ in range(2))
    assert first is again


def test_a_number_that_would_be_built_for_ever_is_named(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_LAYERS", 2000)
    error = refused("yolox/yolox", "{depth: 1.0e+9, width: 0.25}")
    assert "field 'cards.mine.arguments.depth'" in error.case
    assert "more than 2000 layers" in error.case.replace(",", "")


def test_a_limit_of_one_build_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MAX_LAYERS", 3)
    with pytest.raises(build.TooLarge), build.size_limit():
        nn.Sequential(*(nn.ReLU() for _ in range(4)))
    assert len(nn.Sequential(*(nn.ReLU() for _ in range(9)))) == 9


def test_parameters_are_counted_without_memory_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MAX_PARAMETERS", 99)
    with (
        torch.device("meta"),
        pytest.raises(build.TooLarge, match="more than 99 parameters"),
        build.size_limit(),
    ):
        nn.Linear(10, 10)


def test_other_threads_build_what_they_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MAX_LAYERS", 3)
    built: list[nn.Module] = []
    with build.size_limit():
        thread = Thread(target=lambda: built.append(nn.Sequential(*[nn.ReLU()] * 9)))
        thread.start()
        thread.join()
    assert len(built) == 1


def test_modules_have_shapes_and_no_content() -> None:
    with on_meta_device():
        made = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    assert all(tensor.is_meta for tensor in made.state_dict().values())
    assert made[0].weight.shape == (8, 3, 3, 3)


def test_no_random_number_is_drawn() -> None:
    before = torch.get_rng_state()
    with on_meta_device():
        nn.init.trunc_normal_(nn.Linear(4, 4).weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_tensors_elsewhere_are_filled_as_ever() -> None:
    with on_meta_device():
        drawn = torch.zeros(100, device="cpu").normal_()
    assert drawn.std() > 0.5


def test_what_is_built_outside_is_drawn() -> None:
    with on_meta_device():
        pass
    assert nn.Linear(4, 4).weight.std() > 0
