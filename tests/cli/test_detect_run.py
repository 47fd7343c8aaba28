"""`zoo detect` at work: what is wrong is said before the model is loaded, and what is found is
written in every form."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.locked_server import PASSWORD, locked_server, shown
from zoo.cli import detect_run
from zoo.cli.detect_run import Request, run
from zoo.data import read
from zoo.detectors import Protocol
from zoo.errors import ImageError, NameNotFound, OfflineError, UsageError


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with two images of noise."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in (1, 2):
        pixels = random.integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def asked(images: Path, **options: object) -> Request:
    protocol = Protocol(score=0.0, max_boxes=3)
    return Request(sources=[str(images)], model="yolox_nano", protocol=protocol, **options)  # type: ignore[arg-type]


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        pytest.fail("the model is loaded")

    monkeypatch.setattr(detect_run, "load", load)


@pytest.mark.usefixtures("no_model")
def test_outputs_that_get_in_each_other_s_way_are_refused_first(images: Path) -> None:
    for options, message in (
        ({"font": Path("a.ttf")}, "--font was given"),
        ({"coco_images": Path("a.json")}, "--coco-images was given"),
        ({"json_to": "a.json", "coco_to": "./a.json"}, "Both would be written"),
        ({"json_to": str(images / "1.png")}, "That is one of the images"),
        ({"save_to": images}, "would be replaced"),
    ):
        with pytest.raises(UsageError, match=message):
            run(asked(images, **options))


@pytest.mark.usefixtures("no_model")
def test_a_place_that_can_not_be_written_is_said_first(images: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no folder"):
        run(asked(images, json_to=str(tmp_path / "nowhere" / "a.json")))


def test_what_is_found_is_written_in_every_form(
    images: Path, tmp_path: Path, nano: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(
        images,
        weights=nano,
        json_to=str(tmp_path / "a.json"),
        coco_to=str(tmp_path / "b.json"),
        save_to=tmp_path / "drawn",
    )
    assert run(request) == 0
    answer = capsys.readouterr()
    assert [line.split()[1] for line in answer.out.splitlines()] == ["64x48", "64x48"]
    for what in ("Results", "COCO results", "Annotated images"):
        assert f"{what}: {tmp_path}" in answer.err
    objects = json.loads((tmp_path / "a.json").read_text())
    assert [Path(one["saved"]).name for one in objects] == ["1.png", "2.png"]
    assert all(Path(one["saved"]).is_file() for one in objects)
    results = json.loads((tmp_path / "b.json").read_text())
    assert {row["image_id"] for row in results} == {1, 2}


def test_images_that_can_not_be_read_are_counted(
    images: Path, nano: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "3.png").write_text("no image")
    assert run(asked(images, weights=nano)) == 1
    assert "1 of 3 images could not be read" in capsys.readouterr().err
    for file in images.iterdir():
        file.write_text("no image")
    assert run(asked(images, weights=nano)) == ImageError.exit_code
    assert "No image could be read" in capsys.readouterr().err


def test_random_weights_are_warned_of(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(asked(images, weights="random")) == 0
    assert "yolox_nano has random weights" in capsys.readouterr().err


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no weights on this machine."""
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "zoo"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.mark.usefixtures("offline")
def test_the_model_that_comes_with_the_zoo_is_used_where_the_default_can_not_be_had(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenes = read("shapes:test,count=1")
    pixels = scenes.image(0).pixels
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(tmp_path / "scene.png")
    assert run(Request(sources=[str(tmp_path / "scene.png")])) == 0
    said = capsys.readouterr()
    assert "circle x" in said.out
    assert "yolox_pico.shapes comes with the zoo" in said.err


@pytest.mark.usefixtures("offline")
def test_another_model_is_never_put_in_the_place_of_one_that_was_named(images: Path) -> None:
    sources = [str(images)]
    for options in ({"model": "yolox_nano"}, {"labels": ["helmet"]}, {"weights": "coco"}):
        with pytest.raises(OfflineError):
            run(Request(sources=sources, **options))  # type: ignore[arg-type]


def test_a_password_is_in_nothing_that_is_said_or_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    to = tmp_path / "out"
    to.mkdir()
    with locked_server(tmp_path) as address:
        request = Request(
            sources=[f"{address}/a.png", f"{address}/missing.png"],
            model="shapes/yolox_pico",
            save_to=to / "annotated",
            json_to=str(to / "out.jsonl"),
            report_to=to / "out.html",
        )
        assert run(request) == 1
    out, err = capsys.readouterr()
    assert f"{shown(address)}/a.png  64x48" in out
    assert f"{shown(address)}/missing.png" in err
    assert PASSWORD not in out + err
    written = [path for path in to.rglob("*") if path.is_file()]
    assert sorted(path.name for path in written) == ["a.png", "out.html", "out.jsonl"]
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]


def test_without_the_plugin_of_the_default_a_model_is_to_be_named(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect_run, "DEFAULT_MODEL", "gone/gone_nano")
    with pytest.raises(NameNotFound, match=r"The default is gone/gone_nano(.|\n)*--model NAME"):
        run(Request(sources=[str(images)]))
    with pytest.raises(NameNotFound, match="No model named 'none'"):
        run(Request(sources=[str(images)], model="none"))
