"""Options that several commands share, from text to what Python takes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.options import (
    batch_size_of,
    labels_of,
    value_of,
    weights_of,
    weights_requests,
)
from zoo.errors import NameNotFound, UsageError
from zoo.registry import catalogue

MISSPELLED = """
import sys
from zoo.cli import main
looks = "detect a.jpg --model", "video a.mp4 --model"
for words in (*looks, "export --to a.onnx", "serve", "benchmark"):
    sys.argv = ["zoo", *words.split(), "yolox_picoo"]
    try:
        main()
    except SystemExit as left:
        print(left.code)
print("torch" in sys.modules)
"""


def test_a_misspelled_name_is_refused_before_torch_is_imported() -> None:
    command = [sys.executable, "-c", MISSPELLED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["3"] * 5 + ["False"]
    assert done.stderr.count("Did you mean 'yolox_pico'?") == 5


@pytest.mark.parametrize(
    ("text", "given"),
    [(None, True), ("random", False), ("coco", "coco"), ("file:a.pth", "file:a.pth")],
)
def test_weights_are_as_load_takes_them(text: str | None, given: bool | str) -> None:
    assert weights_of(text) == given


@pytest.mark.parametrize("text", ["", "  "])
def test_weights_without_a_name_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no weights"):
        weights_of(text)


@pytest.mark.parametrize(("text", "size"), [(None, "auto"), ("auto", "auto"), ("8", 8)])
def test_a_batch_size_is_a_number_or_auto(text: str | None, size: int | str) -> None:
    assert batch_size_of(text) == size


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "٣", "1" * 10])
def test_what_is_no_batch_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="at least 1, or auto"):
        batch_size_of(text)


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("[1, 2]", [1, 2]), ("true", True), ("nano", "nano")]
)
def test_a_setting_is_read_as_in_a_card(text: str, value: Any) -> None:
    assert value_of("size=", text) == value


def test_a_setting_that_is_no_yaml_is_refused_with_its_name() -> None:
    with pytest.raises(UsageError, match="--set size=") as raised:
        value_of("size=[", "[")
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("coco80", "coco80"),
        ("helmet", ["helmet"]),
        ("helmet, vest", ["helmet", "vest"]),
        ("coco80,vest", ["coco80", "vest"]),
    ],
)
def test_labels_are_a_space_or_names(text: str, labels: str | list[str]) -> None:
    assert labels_of(text) == labels


@pytest.mark.parametrize(("text", "fix"), [("a,,b", "--labels a,b"), (",", "--labels helmet,vest")])
def test_a_name_that_is_missing_is_said(text: str, fix: str) -> None:
    with pytest.raises(UsageError, match=fix):
        labels_of(text)


def test_weights_of_a_model_that_is_named_twice_are_requested_once() -> None:
    requests = weights_requests(catalogue(), ["yolox_nano", "yolox_tiny", "yolox_nano.coco"])
    assert [request.entry for request in requests] == [
        "yolox/yolox_nano.coco",
        "yolox/yolox_tiny.coco",
    ]
    with pytest.raises(NameNotFound):
        weights_requests(catalogue(), ["yolox_nan"])


def test_an_exported_file_has_no_weights_to_lock_or_to_bundle(tmp_path: Path) -> None:
    (tmp_path / "nano.onnx").write_bytes(b"graph")
    with pytest.raises(UsageError, match="holds its weights and uses no others"):
        weights_requests(catalogue(), [f"file:{tmp_path / 'nano.onnx'}"])
