"""A trained model in a folder of its own, by `file:FOLDER`."""

from pathlib import Path

import pytest

from zoo.errors import CardError, NameNotFound
from zoo.registry import catalogue
from zoo.registry.folder import card_file, place_of, read_folder

CARD = """
schema: 2
cards:
  mine:
    architecture: {architecture}
    labels: [helmet]
    weights:
      trained: {{files: {{model: [{{kind: file, path: model.safetensors}}]}}}}
"""


def folder(tmp_path: Path, text: str = "", architecture: str = "yolox/yolox") -> str:
    (tmp_path / "card.yaml").write_text(text or CARD.format(architecture=architecture))
    return f"file:{tmp_path}"


def test_the_card_of_a_folder_resolves_with_its_weights(tmp_path: Path) -> None:
    choice = catalogue().resolve(folder(tmp_path))
    assert choice.name == "mine.trained"
    assert choice.entry.origin == str(tmp_path / "card.yaml")
    assert choice.weights is not None


def test_another_name_is_not_a_folder(tmp_path: Path) -> None:
    assert card_file("yolox_nano") is None
    assert card_file(f"file:{tmp_path}") is None
    assert card_file(folder(tmp_path)) == tmp_path / "card.yaml"


def test_a_home_folder_that_nobody_has_is_a_folder_that_is_not_there() -> None:
    with pytest.raises(NameNotFound, match="There is no folder '~nosuchuser/run'"):
        catalogue().resolve("file:~nosuchuser/run")


def test_who_names_it_without_the_prefix_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path)
    (tmp_path / "mine.onnx").touch()
    monkeypatch.chdir(tmp_path.parent)
    for name in (tmp_path.name, f"{tmp_path.name}/mine.onnx"):
        with pytest.raises(NameNotFound, match=f"in this folder is file:{name}:") as raised:
            catalogue().resolve(name)
        assert raised.value.fix_cli.endswith(f"--model file:{name}")


@pytest.mark.parametrize("prefix", ["", "file:"])
def test_a_run_that_has_not_ended_is_no_model_and_continues(tmp_path: Path, prefix: str) -> None:
    run = tmp_path / "my run"
    run.mkdir()
    for name in ("recipe.yaml", "run.json"):
        (run / name).touch()
    with pytest.raises(NameNotFound, match="has not ended") as raised:
        catalogue().resolve(f"{prefix}{run}")
    assert raised.value.fix == f"Continue it: zoo train '{run}' --resume"
    folder(run)
    assert catalogue().resolve(f"file:{run}").name == "mine.trained"


def test_a_file_of_weights_is_no_model_and_wants_one(tmp_path: Path) -> None:
    file = tmp_path / "best.safetensors"
    with pytest.raises(NameNotFound, match="No loaded plugin"):
        catalogue().resolve(str(file))
    file.touch()
    with pytest.raises(NameNotFound, match="file of weights") as raised:
        catalogue().resolve(str(file))
    assert raised.value.fix_cli == f"Name it: --model NAME --weights file:{file}"


@pytest.mark.parametrize("name", ["int.onnx", "exports/half.pt2"])
def test_a_name_like_that_of_an_exported_file_which_is_not_there_says_so(name: str) -> None:
    with pytest.raises(NameNotFound, match=rf"there is no file '{name}'\.\n.*file:{name}$"):
        catalogue().resolve(name)


def test_a_folder_of_two_models_is_refused(tmp_path: Path) -> None:
    text = CARD.format(architecture="yolox/yolox")
    name = folder(tmp_path, text + text.split("cards:\n")[1].replace("mine", "yours"))
    with pytest.raises(CardError, match="There are 2, and a folder is one model"):
        read_folder(name)


def test_a_card_with_a_mistake_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"Line 6, field 'cards\.mine\.label'"):
        read_folder(
            folder(tmp_path, CARD.format(architecture="yolox/yolox").replace("labels", "label"))
        )


def test_a_plugin_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NameNotFound, match="plugin 'acme', which is not loaded"):
        catalogue().resolve(folder(tmp_path, architecture="acme/net"))


def test_a_model_goes_by_its_folder_and_an_exported_one_by_its_file(tmp_path: Path) -> None:
    for name in ("m.pt2", "m.onnx"):
        assert place_of(f"{tmp_path}/x/../{name}") == f"file:{tmp_path}/{name}"
    assert place_of(f"{tmp_path}/model.xml") == f"file:{tmp_path}"
    assert catalogue().resolve(folder(tmp_path)).entry.identity == f"file:{tmp_path}"
    assert place_of(f"{tmp_path}/model.xml") == f"file:{tmp_path}/model.xml"  # of two, not the card
