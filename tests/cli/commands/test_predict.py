"""`zoo predict` from the shell: what it prints and writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.evaluate import Predictions

Shell = Callable[..., Any]


def test_predict_makes_a_run_and_says_where_it_is(
    shell: Shell, data: str, nano: str, tmp_path: Path
) -> None:
    done = shell(
        "predict", "yolox_nano", "--data", data, "--weights", nano, "--to", str(tmp_path / "runs")
    )
    [file] = (tmp_path / "runs").glob("*.parquet")
    count = len(Predictions.read(file).scores)
    assert (done.out, done.code) == (f"yolox_nano  6 images  {count} detections  {file}\n", 0)


def test_predict_writes_json(shell: Shell, data: str, nano: str, tmp_path: Path) -> None:
    done = shell(
        "predict",
        "yolox_nano",
        "--data",
        data,
        "--weights",
        nano,
        "--to",
        str(tmp_path / "runs"),
        "--json",
    )
    [one] = json.loads(done.out)
    assert (one["model"], one["images"], one["provenance"]["protocol"]) == (
        "yolox_nano",
        6,
        "uniform",
    )
    assert Path(one["file"]).is_file()
