"""Annotated images lie as the originals do, under names that fit, and `--json` says where."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from zoo.cli.annotated import Annotated


@pytest.fixture
def album(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/day1/a.png", "in/day2/a.png", "in/day2/night/b.JPG", "in/c.tif"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(name)
    return tmp_path


def test_folders_are_kept_and_json_says_where(album, shell):
    answer = shell("detect", "in/**", "--weights", "random", "--save", "out", "--json", "out.json")
    assert answer.code == 0, answer.err
    found = {one["file"]: one["saved"] for one in json.loads(Path("out.json").read_text())}
    assert found == {
        "in/c.tif": "out/c.png",
        "in/day1/a.png": "out/day1/a.png",
        "in/day2/a.png": "out/day2/a.png",
        "in/day2/night/b.JPG": "out/day2/night/b.jpg",
    }
    assert all(Path(saved).is_file() for saved in found.values())


def test_without_save_json_says_nothing_of_it(album, shell):
    shell("detect", "in/c.tif", "--weights", "random", "--json", "out.json")
    assert "saved" not in json.loads(Path("out.json").read_text())[0]


@pytest.mark.parametrize(
    ("images", "save"), [("in/day*/*.png", "in"), ("in/**", "in/day2"), ("in/c.tif", "in")]
)
def test_no_image_is_replaced_by_an_annotated_one(images, save, album, shell):
    before = {path: path.read_bytes() for path in Path("in").rglob("*.*")}
    answer = shell("detect", images, "--weights", "random", "--save", save)
    assert answer.code == 2
    assert "would be replaced" in answer.err
    assert {path: path.read_bytes() for path in Path("in").rglob("*.*")} == before


@pytest.mark.parametrize(
    ("sources", "places"),
    [
        (["x/a.png"], ["out/a.png"]),
        (["x/a.png", "x/b.png"], ["out/a.png", "out/b.png"]),
        (["x/a.png", "x/a.png"], ["out/a.png", "out/a-2.png"]),
        (["x/a.tif", "x/a.png"], ["out/a.png", "out/a-2.png"]),
        (["x/a.png", "a.png"], ["out/x/a.png", "out/a.png"]),
        (["../x/a.png", "/y/a.png"], None),
        (["http://host/x/a.png?size=3", "x/a.png"], ["out/a.png", "out/a-2.png"]),
    ],
)
def test_a_name_is_taken_once_and_leads_out_of_the_folder_never(
    sources, places, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    annotated = Annotated(Path("out"), sources)
    found = [annotated.path_for(source) for source in sources]
    assert places is None or found == [Path(place) for place in places]
    assert len(set(found)) == len(found)
    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in found)


def test_names_of_255_bytes_are_cut_and_stay_apart(tmp_path, shell, monkeypatch):
    monkeypatch.chdir(tmp_path)
    long = "ä" * 125 + "x" + ".png"  # 255 bytes
    Path("in").mkdir()
    for name in (long, long.replace(".png", ".tif")):
        Image.new("RGB", (40, 30)).save(Path("in") / name)
    answer = shell(
        "detect", "in", "--weights", "random", "--save", "out", "--json", long.replace("png", "abc")
    )
    assert answer.code == 0, answer.err
    saved = sorted(os.listdir("out"))
    assert len(saved) == 2
    assert all(len(os.fsencode(name)) <= 255 for name in saved)
    assert {one["saved"] for one in json.loads(Path(long.replace("png", "abc")).read_text())} == {
        f"out/{name}" for name in saved
    }


@pytest.mark.parametrize(
    "option", ["--json=", "--save=", "--coco=", "--coco-images=", "--font=", "--save= "]
)
def test_an_option_that_names_nothing_is_a_mistake_of_typing(option, shell):
    answer = shell("detect", "m.jpg", option)
    assert answer.code == 2
    assert "nothing is given after it" in answer.err


OTHERS = [
    "evaluate x.json --plots=",
    "evaluate x.json --json=",
    "verify --bundle=",
    "leaderboard build b.yaml --to=",
]


@pytest.mark.parametrize("words", OTHERS)
def test_so_it_is_for_other_commands(words, shell):
    answer = shell(*words.split())
    assert answer.code == 2
    assert "nothing is given after it" in answer.err


@pytest.mark.parametrize(
    "url", ["http://[", "http://", "https://[::1", "http://a b/", "http://\x00/", "http:///x.jpg"]
)
def test_an_address_that_is_none_is_a_sentence(url, shell):
    answer = shell("detect", url, "--weights", "random", "--save", "out")
    assert answer.code == 6
    assert "Traceback" not in answer.err
    assert "can't be read" in answer.err


def test_limits_are_set_by_an_option(album, shell):
    answer = shell("detect", "in/c.tif", "--weights", "random", "--limit", "pixels=100")
    assert answer.code == 6
    assert "40 x 30 pixels; the limit is 100." in answer.err
    assert "ZOO_IMAGE_PIXELS=400M" in answer.err  # which every command knows
    assert "--limit pixels=400M" in answer.err
    assert shell("detect", "in/c.tif", "--limit", "pixels").code == 2


def test_a_font_is_for_saving(album, shell):
    assert shell("detect", "in/c.tif", "--font", "x.ttf").code == 2
    for score in ("0", "1"):  # whether anything is drawn or not
        answer = shell(
            "detect",
            "in/c.tif",
            "--weights",
            "random",
            "--save",
            "out",
            "--font",
            "nowhere.ttf",
            "--score",
            score,
        )
        assert answer.code == 2
        assert "can't be written in the font 'nowhere.ttf'" in answer.err
