"""`--report`: one option of two commands, and what it refuses before any work."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.gallery import image_count, summary_of
from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.evaluate import Evaluator

Shell = Callable[..., Any]


def data_of(path: Path) -> dict[str, Any]:
    held = re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)
    assert held
    return dict(json.loads(held[1]))


def test_what_can_not_be_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--report-images was given"):
        image_count(None, 5)
    with pytest.raises(UsageError, match="There are 2 models"):
        image_count(tmp_path / "a.html", None, models=["a", "b"])
    with pytest.raises(UsageError, match="1 to 2,000") as refused:
        image_count(tmp_path / "a.html", 0)
    assert "--report-images 200" in refused.value.in_shell
    with pytest.raises(UsageError, match="does not end in"):
        image_count(tmp_path / "a.json", None)
    assert image_count(None, None) == image_count(tmp_path / "a.html", None) == 200


def test_the_headline_is_in_percent(street: Dataset) -> None:
    evaluator = Evaluator(street.truth)
    evaluator.update(
        street.truth.image_ids.tolist(),
        [
            {
                "boxes": street.truth.boxes[street.truth.rows(row)],
                "scores": [0.9] * 2,
                "labels": street.truth.labels[street.truth.rows(row)],
            }
            for row in range(len(street))
        ],
    )
    report = evaluator.compute(resamples=0)
    assert summary_of(report) == ("AP 100.0, AP50 100.0, AP75 100.0.",)


def test_detect_writes_a_page_of_what_it_finds(
    shell: Shell, street: Dataset, nano: str, tmp_path: Path
) -> None:
    images = [str(record.path) for record in street.images]
    (tmp_path / "broken.png").write_text("no image")
    words = ("--model", "yolox_nano", "--weights", nano, "--score", "0.1", "--max-boxes", "4")
    to = tmp_path / "page.html"
    done = shell(
        *("detect", *images, str(tmp_path / "broken.png"), *words),
        *("--report", str(to), "--report-images", "4", "--json", str(tmp_path / "a.json")),
    )
    assert done.code == 1
    assert re.search(rf"Report: {to} \(\d\.\d MB, [34] of 6 images\)", done.err)
    data = data_of(to)
    shown = {one["name"]: len(one["found"]) for one in data["images"]}
    objects = json.loads((tmp_path / "a.json").read_text())
    assert shown.items() <= {one["file"]: len(one["detections"]) for one in objects}.items()
    assert sum(shown.values()) > 0
    assert data["iou"] is None
    assert data["lowest"] == data["score"] == 0.1
    assert data["unreadable"][0][0].endswith("broken.png")
    facts = dict(data["facts"])
    assert facts["model"].startswith("yolox_nano")
    assert len(facts["weights_sha256"]) == 64
    assert json.loads(facts["thresholds"])["score"] == 0.1


def test_a_page_is_written_over_no_other_output(
    shell: Shell, street: Dataset, tmp_path: Path
) -> None:
    image, to = str(street.images[0].path), str(tmp_path / "a.html")
    done = shell("detect", image, "--json", to, "--report", to)
    assert (done.code, "Both would be written" in done.err) == (2, True)
    done = shell("detect", image, "--report", image)
    assert (done.code, "does not end in .html" in done.err) == (2, True)


def test_evaluate_writes_a_page_with_the_truth(
    shell: Shell, data: str, nano: str, results: Callable[..., Path], tmp_path: Path
) -> None:
    to = tmp_path / "page.html"
    words = ("--data", data, "--resamples", "0", "--report", str(to))
    done = shell("evaluate", str(results("right.json")), *words)
    assert (done.code, f"Report: {to}" in done.err) == (0, True)
    page = data_of(to)
    assert page["summary"] == ["AP 100.0, AP50 100.0, AP75 100.0."]
    assert page["iou"] == 0.5
    done = shell(
        *("evaluate", "yolox_nano", "--weights", nano, "--to", str(tmp_path), *words),
        *("--report-images", "2"),
    )
    page = data_of(to)
    assert (done.code, len(page["images"]), page["total"]) == (0, 2, 6)
    assert dict(page["facts"])["protocol"] == "uniform"
    assert page["lowest"] == 0.01
