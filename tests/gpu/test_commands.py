"""The commands on an accelerator, as a user types them: `--device`, `--batch-size`, and what is
written down of the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from zoo.evaluate import Predictions

MODEL = "yolox_nano"


@pytest.fixture
def run(device, tmp_path, nano):
    """Runs a command in a process of its own, on the device and with weights that are sure of a
    lot."""

    def call(*words, on=None):
        command = [
            sys.executable,
            "-m",
            "zoo",
            *words,
            "--weights",
            nano,
            "--device",
            on or str(device),
        ]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=os.environ, check=False
        )

    return call


@pytest.mark.parametrize("batch_size", ["auto", "4"])
def test_detect_writes_what_it_sees_on_the_device(run, tmp_path, batch_size):
    for number in range(6):
        Image.effect_noise((160, 120), 60 + number).convert("RGB").save(tmp_path / f"{number}.png")
    done = run(
        "detect",
        str(tmp_path / "*.png"),
        "--model",
        MODEL,
        "--batch-size",
        batch_size,
        "--score",
        "0.1",
        "--json",
        "seen.json",
    )
    assert done.returncode == 0, done.stderr
    there = json.loads((tmp_path / "seen.json").read_text())
    assert [len(one["detections"]) > 0 for one in there] == [True] * 6, done.stdout
    done = run(
        "detect",
        str(tmp_path / "*.png"),
        "--model",
        MODEL,
        "--score",
        "0.1",
        "--json",
        "here.json",
        on="cpu",
    )
    here = json.loads((tmp_path / "here.json").read_text())
    apart = [
        abs(one["detections"][0]["score"] - other["detections"][0]["score"])
        for one, other in zip(there, here, strict=True)
    ]
    assert max(apart) < 0.01, apart


def test_evaluate_names_the_device_it_ran_on(run, street, device, tmp_path):
    import torch

    done = run(
        "evaluate",
        MODEL,
        "--data",
        f"coco:{street.truth.name}",
        "--to",
        str(tmp_path / "runs"),
        "--batch-size",
        "auto",
    )
    assert done.returncode == 0, done.stderr
    [file] = (tmp_path / "runs").glob("*.parquet")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    assert Predictions.read(file).provenance["device"] == name


def test_a_device_that_is_not_there_is_a_sentence_with_those_that_are(run, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    done = run("detect", "a.png", "--model", MODEL, on="cuda:97")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Here there is: cpu" in done.stderr
