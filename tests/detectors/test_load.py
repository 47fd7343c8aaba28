"""A name becomes a detector that runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.errors import ContractError, NameNotFound, OfflineError, UsageError
from zoo.registry import catalogue, reload
from zoo.testing import LoopbackHub


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(zoo.load("yolox_nano", weights=False).state_dict(), tmp_path / "nano.safetensors")
    return tmp_path / "nano.safetensors"


def test_an_alias_is_the_model_it_stands_for() -> None:
    assert zoo.load("fasterrcnn_resnet50", weights=False).name == "fasterrcnn_resnet50_fpn"


def test_a_loaded_detector_is_in_eval_mode() -> None:
    assert not any(module.training for module in zoo.load("yolox_nano", weights=False).modules())


def test_only_the_weights_of_the_card_put_their_tag_into_the_name(
    published_yolox_nano: None, file: Path
) -> None:
    assert zoo.load("yolox_nano").name == "yolox_nano.coco"
    assert zoo.load("yolox_nano.coco", weights=False).name == "yolox_nano"
    assert zoo.load("yolox_nano", weights=f"file:{file}").name == "yolox_nano"


def test_a_path_is_a_file_of_weights(file: Path) -> None:
    loaded = zoo.load("yolox_nano", weights=file).weights
    assert loaded
    assert loaded.path == file


def test_the_word_of_the_shell_for_random_weights_is_told_the_one_of_python() -> None:
    with pytest.raises(NameNotFound, match=r'zoo.load\("yolox_nano", weights=False\)'):
        zoo.load("yolox_nano", weights="random")


@pytest.mark.parametrize("text", ["m.pth", "models/best", "best.safetensors"])
def test_a_path_as_text_says_how_a_file_is_named(text: str) -> None:
    with pytest.raises(NameNotFound, match=f'weights="file:{text}"'):
        zoo.load("yolox_nano", weights=text)


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": None},
        {"name": 3},
        {"name": "yolox_nano", "weights": None},
        {"name": "yolox_nano", "weights": ""},
        {"name": "yolox_nano", "weights": {"a": torch.zeros(9999)}},
    ],
)
def test_what_a_type_checker_would_find_is_said_in_a_sentence(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"zoo\.load takes|: True for the card's") as raised:
        zoo.load(**arguments)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("device", ["banana", "xpu", "mps:3"])
def test_a_device_that_is_not_there_is_refused_before_any_work(device: str) -> None:
    with pytest.raises(UsageError, match=f"device '{device}'(.|\n)*Here there is: cpu"):
        zoo.load("yolox_nano", device=device)


def test_a_gpu_by_another_name_is_told_its_own() -> None:
    with pytest.raises(UsageError) as raised:
        zoo.load("yolox_nano", device="gpu")
    assert raised.value.case == "PyTorch has no type of device of that name."
    assert raised.value.fix.startswith("An NVIDIA GPU is 'cuda', one of Apple 'mps'. Here there is")


def test_the_devices_that_an_error_offers_can_be_used() -> None:
    with pytest.raises(UsageError) as raised:
        zoo.load("yolox_nano", device="xpu")
    for device in raised.value.fix.removeprefix("Here there is: ").removesuffix(".").split(", "):
        assert torch.empty(1, device=device).device.type == device


@pytest.mark.skipif(
    torch.accelerator.is_available(), reason="needs a machine without an accelerator"
)
def test_device_0_is_the_first_accelerator_and_never_the_cpu() -> None:
    with pytest.raises(UsageError, match="The device '0' can't be used"):
        zoo.load("yolox_nano", weights=False, device=0)  # type: ignore[arg-type]  # torch takes it, and so do its users


def test_random_weights_follow_the_seed() -> None:
    torch.manual_seed(3)
    one = zoo.load("yolox_nano", weights=False).state_dict()
    torch.manual_seed(3)
    two = zoo.load("yolox_nano", weights=False).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_published_weights_are_converted_once_and_then_read_without_a_network(
    published_yolox_nano: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = zoo.load("yolox_nano")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    again = zoo.load("yolox_nano")
    assert first.weights
    assert again.weights
    assert again.weights.path == first.weights.path
    assert again.weights.path.suffix == ".safetensors"
    assert all(
        torch.equal(one, two)
        for one, two in zip(first.parameters(), again.parameters(), strict=True)
    )


def test_published_weights_see_what_is_in_a_real_image(
    published_yolox_nano: None, shared: Path
) -> None:
    seen = zoo.load("yolox_nano").detect(
        shared / "coco_val2017_128" / "val2017" / "000000000785.jpg"
    )
    assert "person" in seen.class_names
    assert "skis" in seen.class_names


def test_weights_come_from_a_repository_of_the_hub(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackHub() as hub:
        commit = hub.add("someone/nano", {"model.safetensors": file})
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        detector = zoo.load("yolox_nano", weights=f"hub:someone/nano@{commit}")
    assert detector.weights
    assert detector.weights.revision == commit


@pytest.fixture
def my_nano(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A model of the user's own, with two sets of weights."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"""
schema: 2
cards:
  my_nano:
    architecture: yolox/yolox
    arguments: {{depth: 0.33, width: 0.25, depthwise: true}}
    labels: coco80
    weights:
      first: {{files: {{model: [{{kind: file, path: {file.name}}}]}}}}
      second: {{files: {{model: [{{kind: file, path: {file.name}}}]}}}}
""")
    monkeypatch.setenv("ZOO_REGISTRY", str(mine))
    reload()
    yield
    monkeypatch.undo()
    reload()


def test_a_bare_name_loads_the_default_weights(my_nano: None) -> None:
    assert zoo.load("my_nano").name == "my_nano.first"


def test_a_tag_may_stand_in_the_name_or_beside_it(my_nano: None) -> None:
    assert zoo.load("my_nano.second").name == "my_nano.second"
    assert zoo.load("my_nano", weights="second").name == "my_nano.second"


def test_two_different_tags_are_refused(my_nano: None) -> None:
    with pytest.raises(NameNotFound, match="two different tags"):
        zoo.load("my_nano.first", weights="second")


def test_a_tag_that_is_not_there_is_named(my_nano: None) -> None:
    with pytest.raises(NameNotFound, match="third"):
        zoo.load("my_nano", weights="third")


def test_a_place_is_not_a_name(file: Path) -> None:
    with pytest.raises(NameNotFound, match="the network they belong to"):
        zoo.load(f"file:{file}")


def test_offline_without_the_weights_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(OfflineError) as caught:
        zoo.load("yolox_nano")
    assert "zoo pull yolox/yolox_nano.coco" in caught.value.fix


def test_frozen_batch_norms_get_the_epsilon_of_the_trained_weights() -> None:
    choice = catalogue().resolve("fasterrcnn_resnet50_fpn")
    assert choice.weights
    assert choice.weights.post_load == {"frozen_bn_eps": 0.0}
    detector = zoo.load("fasterrcnn_resnet50_fpn", weights=False)
    detector.post_load(choice.weights.post_load)
    eps = {
        module.eps for module in detector.modules() if type(module).__name__ == "FrozenBatchNorm2d"
    }
    assert eps == {0.0}


def test_a_post_load_setting_that_a_family_does_not_know_is_refused() -> None:
    with pytest.raises(ContractError, match="frozen_bn_eps"):
        zoo.load("yolox_nano", weights=False).post_load({"frozen_bn_eps": 0.0})


def test_a_default_device_that_computes_nothing_is_not_blamed_on_a_plugin() -> None:
    with torch.device("meta"), pytest.raises(UsageError, match="default device is 'meta' here"):
        zoo.load("yolox_pico")
    assert zoo.load("yolox_pico").device.type != "meta"
