"""`zoo train`: the same as `zoo.train`, from words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., Any]

QUICK = ("--set", "size=[64, 64]", "--set", "steps=2", "--set", "batch_size=2", "--device", "cpu")


def test_a_run_says_its_folder_and_that_is_a_model(shell: Shell, data: str, tmp_path: Path) -> None:
    words = ("train", "yolox_nano", "--weights", "random", "--validation", data, "--data", data)
    run = str(tmp_path / "run")
    early = shell(*words, *QUICK, "--to", run, "--resume")
    assert (early.code, Path(run).exists()) == (2, False)
    assert f"There is nothing to resume in {run}." in early.err
    done = shell(*words, *QUICK, "--to", run, "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert (result["path"], result["steps"]) == (run, 2)
    assert "step 2/2  " in done.err
    again = shell("train", run, "--resume", "--device", "cpu")
    assert again.out == shell("train", "--resume", run, "--device", "cpu").out
    assert again.out.startswith(f"{run}  step {result['step']} of 2  AP ")
    unsaid = shell("train", run)
    assert unsaid.err.endswith(f"The one in this folder is file:{run}: --model file:{run}\n")
    shown = shell("show", f"file:{run}")
    assert "unicorn" in shown.out
    measured = shell("evaluate", f"file:{run}", "--data", data, "--resamples", "0")
    assert "run.trained" in measured.out


def test_a_recipe_names_everything(
    shell: Shell, data: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        f"model: yolox_nano\nweights: random\ndata: '{data}'\nto: '{tmp_path / 'run'}'\n"
        "labels: [dog]\n"
    )
    done = shell("train", str(recipe), *QUICK)
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / 'run'}  step 2 of 2\n"
    assert "The boxes of person, unicorn are left out" in caplog.text


def test_mistakes_are_sentences(shell: Shell, data: str, tmp_path: Path) -> None:
    done = shell("train", "yolox_nano", "--data", data, "--set", "optimizer.lrr=1")
    assert done.code == 2
    assert "'optimizer.lrr': There is no field 'lrr' here." in done.err
    assert shell("train", "yolox_nano").code == 2
    done = shell("train", str(tmp_path / "none.yaml"))
    assert done.code == 2
    assert "none.yaml" in done.err


def test_a_device_that_is_not_there_is_a_mistake_of_usage(
    shell: Shell, data: str, tmp_path: Path
) -> None:
    words = ("train", "yolox_nano", "--weights", "random", "--data", data)
    done = shell(*words, "--device", "cuda:97", "--to", str(tmp_path / "run"))
    assert done.code == 2
    assert "'cuda:97'" in done.err
