"""Errors end with the exit codes of docs/reference/exit-codes.md, and have three parts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from zoo.cli.app import app

Shell = Callable[..., Any]
PAGE = Path(__file__).parents[2] / "docs/reference/exit-codes.md"

R = ("--weights", "random")
DETECT = ("detect", "1.png", *R)
EVALUATE = ("evaluate", "r.json", "--data", "coco:i.json")
COMPOSE = ("compose", "--backbone", "timm/resnet18", "--head", "yolox/yolox", "--labels", "a")
USAGE = [
    *((*DETECT, "--score", value) for value in ("2", "-1", "nan", "inf", "x", "")),
    *((*DETECT, "--iou", value) for value in ("1.5", "x")),
    *((*DETECT, "--max-boxes", value) for value in ("0", "-1", "1.5", "x", "")),
    *((*DETECT, "--batch-size", value) for value in ("0", "x", "1.5", "9999999999")),
    *((*DETECT, "--limit", value) for value in ("zzz", "memory=0", "zzz=3")),
    (*DETECT, "--exif", "zzz"),
    (*DETECT, "--on-error", "zzz"),
    (*DETECT, "--device", "zzz"),
    (*DETECT, "--json="),
    (*DETECT, "--save", "o", "--font", "none.ttf"),
    (*DETECT, "--save", "o", "--font", "text.txt"),
    (*DETECT, "--save", "o", "--font", "folder"),
    *((*EVALUATE, "--resamples", value) for value in ("-1", "1", "x", "", "10000000000")),
    *((*EVALUATE, "--seed", value) for value in ("-1", "x", "1.5")),
    (*EVALUATE, "--plots", "text.txt"),
    (*EVALUATE, "--plots", "p", "--font", "text.txt"),
    (*EVALUATE, "--json", "i.json"),
    ("evaluate", "r.json", "--data="),
    ("evaluate", "yolox_nano", "--data", "coco:i.json", "--protocol", "zzz"),
    *(("hub", "serve", "folder", "--port", value) for value in ("99999", "-1", "x")),
    ("hub", "serve", "none"),
    ("plugins", "--limit", "3"),
    *(("plugins", "--isolated", "--limit", value) for value in ("0", "x", "nan")),
    *(("plugins", "new", name) for name in ("", "A", "core", "../x", "yolox")),
    ("plugins", "new", "acme", "--to", "text.txt"),
    ("plugins", "new", "acme", "--to", "text.txt/below"),
    *((*COMPOSE, "--strides", value) for value in ("x", "0", "-8", "", "8,,16", "9" * 5000)),
    *((*COMPOSE, "--set", value) for value in ("zzz", "x=3", "neck.channels=[[[")),
    (*COMPOSE, "--name", "A b"),
    ("check", "yolox_nano", "--weights", ""),
    ("check", "yolox_nano", "--set", "zzz"),
    ("check", "yolox_nano", "--set", "size=[[["),
]
OTHERS = {
    3: [
        ("show", "zzz"),
        ("show", "yolox_nano.zzz"),
        ("pull", "zzz"),
        ("evaluate", "zzz", "--data", "coco:i.json"),
        ("lock", "zzz"),
    ],
    5: [("detect", "1.png", "--weights", "file:none.pth"), ("verify", "--bundle", "folder")],
    6: [
        ("detect", "none.png", *R, "--on-error", "raise"),
        (*DETECT, "--json", "folder"),
        (*DETECT, "--save", "text.txt"),
    ],
    7: [(*DETECT, "--labels", "a,a")],
    10: [
        ("evaluate", "none.json", "--data", "coco:i.json"),
        ("evaluate", "r.json", "--data", "coco:none.json"),
        ("evaluate", "r.json", "--data", "coco:text.txt"),
        ("predict", "yolox_nano", *R, "--data", "coco:i.json,images=none"),
        ("compare", "none.json", "r.json", "--data", "coco:i.json"),
        (*DETECT, "--coco", "-", "--coco-images", "none.json"),
        ("leaderboard", "build", "none.yaml"),
        ("leaderboard", "build", "text.txt"),
    ],
}


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with an image, its annotations, results of it, and what is none of these."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    Image.new("RGB", (80, 60)).save("1.png")
    box = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 30]}
    images = [{"id": 1, "file_name": "1.png", "width": 80, "height": 60}]
    annotations = [{**box, "id": 1, "area": 1200, "iscrowd": 0}]
    instances = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    Path("i.json").write_text(json.dumps(instances))
    Path("r.json").write_text(json.dumps([{**box, "score": 0.5}]))
    Path("text.txt").write_text("hello")
    Path("folder").mkdir()


def without_json(command: Any, name: str = "") -> list[str]:
    """The commands at or below this one that have no --json."""
    inner = getattr(command, "commands", {})
    below = [found for one in inner for found in without_json(inner[one], f"{name} {one}")]
    options = [spelt for option in command.params for spelt in option.opts]
    return below if inner or "--json" in options else [name.strip()]


def test_the_commands_without_json_are_those_that_the_page_names() -> None:
    page = PAGE.read_text()
    named = page.partition("but ")[2].partition(";")[0]
    found = without_json(typer.main.get_command(app([])))
    assert set(re.findall("`([^`]+)`", named)) == set(found)


def refused(answer: Any, code: int) -> bool:
    """Whether it is our error of that code: at least three lines, none of them long, and nothing on
    standard output."""
    lines = answer.err.partition("Error: ")[2].strip().splitlines()
    return answer.code == code and len(lines) >= 3 and max(map(len, lines)) < 600 and not answer.out


@pytest.mark.parametrize("words", USAGE, ids=lambda words: " ".join(words)[-60:])
def test_a_usage_mistake_is_two(shell: Shell, words: tuple[str, ...]) -> None:
    answer = shell(*words)
    assert refused(answer, 2), (answer.code, answer.err)


@pytest.mark.parametrize(
    ("code", "words"),
    [(code, words) for code, all_words in OTHERS.items() for words in all_words],
    ids=str,
)
def test_every_other_mistake_has_the_code_of_its_kind(
    shell: Shell, code: int, words: tuple[str, ...]
) -> None:
    answer = shell(*words)
    assert refused(answer, code), (answer.code, answer.err)


def test_a_number_says_what_it_may_be_and_an_example(shell: Shell) -> None:
    answer = shell("detect", "1.png", "--score", "2")
    assert answer.err.endswith(
        "Error: --score '2' was given.\nIt is a number, 0 to 1.\nWrite for example --score 0.3\n"
    )


def test_of_several_names_all_failing_alike_have_their_code_and_else_it_is_one(
    shell: Shell,
) -> None:
    data = ("--data", "coco:i.json")
    for command in ("predict", "evaluate"):
        assert shell(command, "zzz", "yyy", *data).code == 3
        assert (
            shell(command, "zzz", "yolox_nano", *data).code == 1
        )  # no such model, and no weights on this machine
    assert shell("evaluate", "zzz", "r.json", *data, "--resamples", "0").code == 1
    assert shell("evaluate", "none.json", "nor.json", *data).code == 10
