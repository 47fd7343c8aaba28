"""`zoo show`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., Any]


def test_everything_on_the_card_is_shown(shell: Shell, cards: Path) -> None:
    answer = shell("show", "my_faster")
    assert answer.code == 0
    page = " ".join(answer.out.split())
    for fact in [
        "user/my_faster",
        "building site",
        "also called mine",
        "architecture torchvision/fasterrcnn_resnet50_fpn",
        "family Faster R-CNN",
        "paper –",
        "labels coco91",
        "shortest edge 800, longest at most 1333, RGB, 0..1, mean 0.485 0.456 0.406, std 0.229 "
        "0.224 0.225",
        "parameters 41,755,286 (with frozen batch norm)",
        "GFLOPs 134.38",
        "licences code BSD-3-Clause, weights –, data –",
        "Weights v1",
        "hub: acme/detectors, model.safetensors revision 0123456789abcdef0123456789abcdef01234567",
        "sha256 258fb6c6aaaa",
        "https://example.org/a/rather/long/address/of/a/file/that/must/not/be/cut/my_faster-258fb6c6.pth",
        "sha256 unknown",
        "note The first attempt.",
        "Weights v2 (what the name stands for)",
        "size 159.7 MB",
        "package acme: weights/v2.safetensors",
        "file v2.safetensors",
        "licences code BSD-3-Clause, weights CC-BY-4.0, data –",
        "AP 37.0 on coco_val2017 https://example.org/paper",
        "after loading frozen_bn_eps = 0.0",
        'zoo.load("my_faster")',
        "zoo detect IMAGE --model my_faster",
        f"{cards}, line 5",
    ]:
        assert fact in page


def test_no_line_is_wider_than_80_unless_one_word_is(shell: Shell, cards: Path) -> None:
    wide = [line for line in shell("show", "my_faster").out.splitlines() if len(line) > 80]
    assert all(
        len(line.split()) == 1 or "://" in line or str(cards.parent) in line for line in wide
    )


def test_a_card_without_weights_says_how_to_load_it(shell: Shell, cards: Path) -> None:
    page = " ".join(shell("show", "my_helmets").out.split())
    assert "labels 2: helmet, vest" in page
    assert "arguments depth=0.33, width=0.25" in page
    assert "input 416x416, aspect kept, padded with 114, BGR, 0..255" in page
    assert 'zoo.load("my_helmets", weights=False)' in page
    assert "zoo detect IMAGE --model my_helmets --weights random" in page


def test_a_label_space_is_shown_with_its_number_of_classes(shell: Shell, cards: Path) -> None:
    assert "coco91 (80 classes)" in shell("show", "my_faster").out


def test_yolox_says_that_nobody_publishes_its_hash_and_how_its_flops_are_counted(
    shell: Shell,
) -> None:
    page = " ".join(shell("show", "yolox_nano").out.split())
    assert "GFLOPs 1.08 (As published; multiplications and additions counted one by one" in page
    assert "No sha256 is published." in page


@pytest.mark.parametrize("name", ["my_faster.v1", "mine.v1", "user/my_faster.v1"])
def test_a_tag_is_marked_and_kept_in_the_line_to_type(shell: Shell, cards: Path, name: str) -> None:
    out = shell("show", name).out
    assert "Weights v1 (what the name stands for)" in out
    assert 'zoo.load("my_faster.v1")' in out


def test_an_ambiguous_short_name_is_shown_qualified(shell: Shell, cards: Path) -> None:
    cards.write_text(cards.read_text().replace("my_helmets", "yolox_nano"))
    assert 'zoo.load("user/yolox_nano", weights=False)' in shell("show", "user/yolox_nano").out
    answer = shell("show", "yolox_nano")
    assert answer.code == 3
    assert "'user/yolox_nano' or 'yolox/yolox_nano'" in answer.err


def test_json_is_the_whole_card(shell: Shell, cards: Path) -> None:
    facts = json.loads(shell("show", "mine", "--json").out)
    card = facts.pop("card")
    assert facts == {
        "name": "my_faster",
        "plugin": "user",
        "qualified": "user/my_faster",
        "tag": "v2",
        "aliases": ["mine"],
        "origin": str(cards),
        "line": 5,
    }
    assert card["weights"]["v2"]["files"]["model"][1] == {
        "kind": "file",
        "path": "v2.safetensors",
        "sha256": None,
    }
    assert card["paper"] is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("yolox_nan", "Did you mean 'yolox_nano'"),
        ("yolox_nano.kokos", "has no weights tagged 'kokos'"),
        ("", "No model named ''."),
    ],
)
def test_a_wrong_name_is_told_the_nearest(shell: Shell, name: str, says: str) -> None:
    answer = shell("show", name)
    assert (answer.code, answer.out) == (3, "")
    assert says in answer.err


def test_a_model_whose_plugin_is_switched_off_is_told_so(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_PLUGINS", "")
    answer = shell("show", "yolox_nano")
    assert answer.code == 3
    assert "the plugin 'yolox', which is switched off by ZOO_PLUGINS" in answer.err


def test_a_folder_is_named_so_that_a_shell_reads_it(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "run  x"
    folder.mkdir()
    (folder / "card.yaml").write_text(
        "schema: 2\ncards: {site: {architecture: yolox/yolox, labels: [a]}}"
    )
    out = shell("show", f"file:{folder}").out
    assert f'zoo.load("file:{folder}", weights=False)' in out
    assert f"--model 'file:{folder}' --weights random" in out
