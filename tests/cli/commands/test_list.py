"""`zoo list`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., Any]


def test_models_are_listed_in_aligned_columns(shell: Shell, cards: Path) -> None:
    answer = shell("list", "my_*")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "name          AP  params     input  licence                   labels     plugin",
        "my_faster   37.0   41.8M  800-1333  BSD-3-Clause / CC-BY-4.0  coco91     user",
        "my_helmets     –       –       416  Apache-2.0                2 classes  user",
        "",
        "2 models.",
    ]
    assert answer.err == ""


def test_every_model_of_the_bundled_plugins_is_listed(shell: Shell) -> None:
    names = {row["name"] for row in json.loads(shell("list", "--json").out)}
    assert {"fasterrcnn_resnet50_fpn", "yolox_nano"} <= names


def test_json_has_every_fact(shell: Shell, cards: Path) -> None:
    [faster, helmets] = json.loads(shell("list", "my_*", "--json").out)
    assert faster == {
        "name": "my_faster",
        "plugin": "user",
        "architecture": "torchvision/fasterrcnn_resnet50_fpn",
        "family": "Faster R-CNN",
        "AP": 37.0,
        "AP50": None,
        "parameters": 41755286,
        "gflops": 134.38,
        "megabytes": 159.7,
        "input": {"resize": "shortest_edge", "size": [800, 1333]},
        "licenses": {"code": "BSD-3-Clause", "weights": "CC-BY-4.0"},
        "labels": "coco91",
        "classes": 80,
        "tags": ["v1", "v2"],
        "default": "v2",
    }
    assert (helmets["labels"], helmets["classes"], helmets["default"]) == ("custom", 2, None)


def test_where_asks_for_facts_and_says_what_it_left_out(shell: Shell, cards: Path) -> None:
    answer = shell("list", "user/*", "--where", "AP > 30")
    assert [line.split()[0] for line in answer.out.splitlines()[1:-2]] == ["my_faster"]
    assert answer.err == "1 model is left out because a fact in the filter is unknown (null).\n"


def test_where_says_what_it_left_out_because_two_licences_differ(shell: Shell, cards: Path) -> None:
    answer = shell("list", "user/*", "--where", "license = CC-BY-4.0")
    assert answer.err.splitlines() == [
        "No model matches 'user/*' where license = CC-BY-4.0.",
        "1 model is left out because a fact in the filter is unknown (null),"
        " or holds of the licence of code or weights alone.",
    ]


def test_where_finds_models_by_the_classes_they_know(shell: Shell, cards: Path) -> None:
    answer = shell("list", "user/*", "--where", "class = helmet or class = person")
    assert [line.split()[0] for line in answer.out.splitlines()[1:-2]] == [
        "my_faster",
        "my_helmets",
    ]


def test_help_says_what_license_means(shell: Shell) -> None:
    page = " ".join(shell("list", "--help").out.split())
    assert "license != permissive if one is known not to be" in page
    assert "class = person" in page


def test_a_label_space_that_nobody_declared_is_an_error_before_anything_is_loaded(
    shell: Shell, cards: Path
) -> None:
    cards.write_text(cards.read_text().replace("labels: coco91", "labels: coco19"))
    answer = shell("list")
    assert (answer.code, answer.out) == (4, "")
    assert (
        "Line 11, field 'cards.my_faster.labels': No label space is called 'coco19'." in answer.err
    )


def test_a_users_model_with_the_name_of_another_is_listed_and_asked_for_by_its_whole_name(
    shell: Shell, cards: Path
) -> None:
    cards.write_text(cards.read_text().replace("my_helmets:", "yolox_nano:"))
    listed = shell("list", "yolox_nano").out
    assert [line.split()[0] for line in listed.splitlines()[1:-2]] == [
        "user/yolox_nano",
        "yolox/yolox_nano",
    ]
    answer = shell("show", "yolox_nano")
    assert answer.code == 3
    assert (
        f"Say which: 'user/yolox_nano' or 'yolox/yolox_nano'. Or rename yours: '{cards}', line 42."
        in answer.err
    )


def test_a_mistake_in_where_is_a_usage_error_with_a_caret(shell: Shell) -> None:
    answer = shell("list", "--where", "parms > 3")
    assert (answer.code, answer.out) == (2, "")
    assert "\n  parms > 3\n  ^^^^^\n" in answer.err
    assert "Did you mean 'params'?" in answer.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nothing_*",), "No model's name matches 'nothing_*'."),
        (("my_fastr",), "No model is listed as 'my_fastr'. Did you mean 'my_faster'?"),
        (("yolx_n*",), "No model's name matches 'yolx_n*'. Did you mean 'yolox_x'"),
        (("yolox_nan*x",), "No model's name matches 'yolox_nan*x'. Did you mean 'yolox_nano'"),
        (("fastercnn-9*",), "See those with such a name: zoo list 'fasterrcnn*'"),
        (
            ("maskedrcnn",),
            "No model is listed as 'maskedrcnn'. Did you mean 'maskrcnn_resnet50_fpn'",
        ),
        (("zzzzz",), "No model is listed as 'zzzzz'. See which there are: zoo list"),
        (("mine",), "'mine' stands for 'user/my_faster'. See it: zoo show mine"),
        (
            ("my_*", "--where", "AP > 99 and AP != unknown"),
            "No model matches 'my_*' where AP > 99 and AP != unknown.",
        ),
    ],
)
def test_nothing_found_is_no_error_and_says_why(
    shell: Shell, cards: Path, words: tuple[str, ...], says: str
) -> None:
    answer = shell("list", *words)
    assert (answer.code, answer.out) == (0, "")
    assert says in answer.err


def test_nothing_found_is_an_empty_list_in_json(shell: Shell) -> None:
    assert json.loads(shell("list", "nothing_*", "--json").out) == []


def test_without_plugins_nothing_is_listed_and_the_setting_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_PLUGINS", "")
    answer = shell("list")
    assert (answer.code, answer.out) == (0, "")
    assert "No plugin is loaded" in answer.err
    assert "unset ZOO_PLUGINS" in answer.err


def test_a_broken_registry_file_is_an_error_without_a_traceback(shell: Shell, cards: Path) -> None:
    cards.write_text("schema: 2\ncards:\n  x: {}\n")
    answer = shell("list")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.startswith(f"Error: Cards were read from '{cards}'.\nLine 3, field 'cards.x'")
    assert "Traceback" not in answer.err


IMPORTED = """
import sys
sys.argv = ["zoo", *sys.argv[1:]]
from zoo.cli import main
try:
    main()
finally:
    heavy = {"torch", "numpy", "torchvision", "timm", "PIL", "huggingface_hub", "lark", "rich"}
    heavy |= {"pydantic", "yaml", "asyncio"}
    print("HEAVY", sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "words", [("list",), ("list", "yolox_*", "--json"), ("show", "yolox_nano"), ("plugins",)]
)
def test_a_listing_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    for _ in range(2):  # the first run reads YAML and writes the index
        done = subprocess.run(
            [sys.executable, "-c", IMPORTED, *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "zoo", "list", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
