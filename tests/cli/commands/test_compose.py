"""`zoo compose`: draws a pipeline, or writes a card that loads."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import zoo
from zoo import registry
from zoo.cli.commands.compose import compose
from zoo.errors import UsageError

PARTS = [
    "--backbone",
    "torchvision/mobilenet_v3_small",
    "--neck",
    "fpn",
    "--head",
    "retinanet",
    "--labels",
    "helmet, vest",
]


def run(*words: str) -> Result:
    app = typer.Typer()
    app.command()(compose)
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_show_draws_the_pipeline() -> None:
    shown = run(*PARTS, "--set", "neck.channels=32", "--show").stdout.splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [
        ["input", "640"],
        ["backbone", "torchvision/mobilenet_v3_small"],
        ["neck", "fpn"],
        ["head", "retinanet"],
    ]
    assert shown[3].split()[2:7] == ["32"] * 5


def test_what_it_writes_is_a_registry_file_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        run(*PARTS, "--set", "neck.channels=32", "--strides", "8,16", "--name", "helmets").stdout
    )
    monkeypatch.setenv("ZOO_REGISTRY", os.fspath(file))
    registry.reload()
    detector = zoo.load("helmets", weights=False)
    card = zoo.catalogue().resolve("helmets").entry.card
    registry.reload()
    assert card.parameters == sum(one.numel() for one in detector.parameters())
    assert card.input == detector.preprocess.input
    assert detector.label_space.names == ("helmet", "vest")
    assert [(level.channels, level.stride) for level in detector.neck.levels] == [
        (32, 8),
        (32, 16),
        (32, 32),
        (32, 64),
    ]


def test_a_declared_label_space_stays_a_name() -> None:
    assert "labels: coco80" in run(*PARTS[:-1], "coco80").stdout


@pytest.mark.parametrize("wrong", ["channels=3", "neck.channels", "tail.channels=3"])
def test_a_setting_that_is_none_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"Write for example --set neck\.channels=64"):
        run(*PARTS, "--set", wrong)


def test_strides_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="Write --strides 8,16,32"):
        run(*PARTS, "--strides", "8;16")
