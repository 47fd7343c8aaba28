"""`zoo.evaluate`: a model, or what it saw, and a data set to a report that says what it is of."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo
from zoo.data import Dataset
from zoo.errors import DataError, LabelError, UsageError, ZooError
from zoo.evaluate import Evaluator, Predictions, Report, predict

EVERYTHING = zoo.Protocol(score=0.0, max_boxes=50)


def test_the_module_is_called_and_imported_from_alike() -> None:
    code = """
import sys, zoo
from zoo.evaluate import Evaluator
import zoo.evaluate.coco_files
assert callable(zoo.evaluate) and zoo.evaluate.Evaluator is Evaluator
assert zoo.evaluate is sys.modules["zoo.evaluate"]
assert zoo.compare is zoo.evaluate.compare
sys.exit("torch" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_is_run_and_measured_with_provenance(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    report = zoo.evaluate(
        "yolox_nano", data=street, weights=nano, protocol=EVERYTHING, to=tmp_path, resamples=20
    )
    [file] = tmp_path.glob("*.parquet")
    seen = Predictions.read(file)
    assert report.provenance is not None
    assert seen.provenance.items() <= report.provenance.items()
    assert report.measured.data == "street"
    assert report.interval("AP") is not None
    evaluator = Evaluator(street.truth)
    evaluator.update(seen.image_ids, list(seen))
    assert report["AP50"] == evaluator.numbers()["AP50"]


def test_a_name_a_detector_its_predictions_and_their_file_give_the_same_numbers(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    options = {"data": street, "protocol": EVERYTHING, "resamples": 0}
    seen = predict("yolox_nano", data=street, weights=nano, protocol=EVERYTHING, to=tmp_path)
    detector = zoo.load("yolox_nano", weights=nano)
    reports = [zoo.evaluate(one, **options) for one in (detector, seen, seen.path, str(seen.path))]
    reports.append(zoo.evaluate("yolox_nano", weights=nano, to=tmp_path, **options))
    assert all(report.numbers == reports[0].numbers for report in reports)


def test_a_perfect_model_scores_1(perfect: Callable[..., Predictions], street: Dataset) -> None:
    report = zoo.evaluate(perfect(street), data=street, resamples=0)
    assert report.ap == pytest.approx(1.0)
    assert report.measured.missing == ()


def test_classes_that_do_not_meet_are_said(street: Dataset, nano: str) -> None:
    model = zoo.load("yolox_nano", weights=nano)
    report = zoo.evaluate(model, data=street, protocol=EVERYTHING, resamples=0)
    assert report.measured.missing == ("unicorn",)
    assert report.per_class["unicorn"].ap == 0
    assert sum(report.measured.unmet.values()) > 0
    assert not {"person", "dog"} & set(report.measured.unmet)


def test_a_model_that_knows_no_class_of_the_data_is_refused(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    strange = perfect(street, names=("a", "b", "c"))
    with pytest.raises(LabelError, match="none of the data set's classes"):
        zoo.evaluate(strange, data=street)


def test_a_results_list_of_somebody_else_s_is_measured(street: Dataset, tmp_path: Path) -> None:
    truth = street.truth
    rows = [
        {
            "image_id": int(truth.image_ids[row]),
            "category_id": truth.label_space.ids[label],
            "bbox": box.tolist(),
            "score": 0.5,
        }
        for row, label, box in zip(truth.images, truth.labels, truth.xywh, strict=True)
    ]
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps(rows))
    report = zoo.evaluate(file, data=street, resamples=0)
    assert report.ap == pytest.approx(1.0)
    assert report.provenance is not None
    assert report.provenance["model"] == "theirs"
    assert len(report.provenance["results_sha256"]) == 64


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"weights": "coco"}, "weights='coco'"),
        ({"weights": False}, "weights=False"),
        ({"device": "cpu"}, "device='cpu'"),
        ({"batch_size": 4}, "batch_size=4"),
        ({"to": "runs"}, "to='runs'"),
        ({"protocol": "native"}, "protocol native"),
    ],
)
def test_options_of_a_run_are_refused_where_there_is_none(
    perfect: Callable[..., Predictions],
    street: Dataset,
    tmp_path: Path,
    options: dict[str, object],
    what: str,
) -> None:
    (tmp_path / "theirs.json").write_text("[]")
    perfect(street).write(tmp_path / "seen.parquet")
    for one in (perfect(street), tmp_path / "seen.parquet", tmp_path / "theirs.json"):
        with pytest.raises(UsageError, match=what):
            zoo.evaluate(one, data=street, **options)  # type: ignore[arg-type]


def test_the_protocol_that_predictions_were_made_under_may_be_named(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    uniform = zoo.Protocol.named("uniform")
    facts = {"model": "oracle", "protocol": "uniform", "protocol_settings": uniform.to_json()}
    assert (
        zoo.evaluate(
            perfect(street, provenance=facts), data=street, protocol="uniform", resamples=0
        ).ap
        == 1
    )


@pytest.mark.parametrize("options", [{"weights": False}, {"device": "cpu"}])
def test_a_detector_at_hand_keeps_its_weights_and_device(
    street: Dataset, nano: str, options: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match=r"It has its own already(.|\n)*zoo\.load\(NAME, "):
        zoo.evaluate(zoo.load("yolox_nano", weights=nano), data=street, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ([], {}, "A list can't be run"),
        (None, {}, "None can't be run"),
        (5, {}, "An int can't be run"),
        ("yolox_nano", {"data": None}, "None was named"),
        ("yolox_nano", {"data": 7}, "An int was named"),
        ("yolox_nano", {"protocol": "unifrom"}, "Did you mean 'uniform'"),
        ("yolox_nano", {"protocol": 5}, "an int, no protocol"),
        ("yolox_nano", {"batch_size": 0}, "batch_size=0"),
        ("yolox_nano", {"resamples": 1.5}, "resamples=1.5"),
        ("yolox_nano", {"policy": "pycocotools"}, "'policy' takes EdgeCasePolicy"),
    ],
)
def test_what_can_not_be_measured_is_a_sentence(
    street: Dataset, model: object, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ZooError, match=message):
        zoo.evaluate(
            model,
            **{"data": street, "weights": False} | options
            if model == "yolox_nano"
            else {"data": street},
        )  # type: ignore[arg-type]


def test_a_detector_in_memory_names_its_file_until_its_state_changes(
    street: Dataset, nano: str
) -> None:
    model = zoo.load("yolox_nano", weights=nano)
    by_name = zoo.evaluate("yolox_nano", weights=nano, data=street, resamples=0).provenance
    facts = zoo.evaluate(model, data=street, resamples=0).provenance
    assert by_name is not None
    assert facts is not None
    assert facts["weights_sha256"] == by_name["weights_sha256"]
    assert facts["weights_source"] == by_name["weights_source"]
    with torch.no_grad():
        next(model.parameters()).mul_(2)
    changed = zoo.evaluate(model, data=street, resamples=0).provenance
    assert changed is not None
    assert "weights_sha256" not in changed
    assert "weights_source" not in changed
    assert changed["state_sha256"] != facts["state_sha256"]


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_not_taken_for_the_name_of_a_model(
    street: Dataset, tmp_path: Path, kind: type[str | Path]
) -> None:
    with pytest.raises(UsageError, match=r"That is a folder(.|\n)*Name a model") as raised:
        zoo.evaluate(kind(tmp_path), data=street)
    assert str(tmp_path) in str(raised.value)
    (tmp_path / "seen.parquet").touch()
    with pytest.raises(UsageError, match=r"as in .*seen\.parquet"):
        zoo.evaluate(kind(tmp_path), data=street)


def test_reports_of_different_protocols_are_not_compared(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    uniform = zoo.evaluate(perfect(street), data=street, resamples=20)
    facts = {"model": "oracle", "protocol": "native", "protocol_settings": '{"score": null}'}
    native = zoo.evaluate(perfect(street, provenance=facts), data=street, resamples=20)
    assert zoo.compare(uniform, uniform)["AP"].difference == 0
    with pytest.raises(DataError, match="Their protocols differ: score not said and None"):
        zoo.compare(uniform, native)


def test_a_report_travels_with_what_it_does_not_cover(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    model = zoo.load("yolox_nano", weights=nano)
    report = zoo.evaluate(model, data=street, protocol=EVERYTHING, resamples=5)
    report.write(tmp_path / "report.json")
    assert Report.read(tmp_path / "report.json") == report


@pytest.mark.slow
def test_yolox_nano_scores_what_it_should_on_real_images(
    shared: Path, published_yolox_nano: None
) -> None:
    data = f"coco:{shared / 'coco_val2017_128' / 'instances.json'}"
    report = zoo.evaluate("yolox_nano", data=data)
    interval = report.interval("AP")
    assert report.ap == pytest.approx(0.336, abs=0.003)
    assert interval is not None
    assert interval.low < report.ap < interval.high
    assert zoo.evaluate("yolox_nano", data=data).numbers == report.numbers


def test_stored_detections_of_the_same_weights_give_the_twelve_expected_numbers(
    shared: Path,
) -> None:
    folder = shared / "coco_val2017_128"
    report = zoo.evaluate(
        folder / "yolox_nano_detections.json", data=folder / "instances.json", resamples=0
    )
    expected = json.loads((folder / "yolox_nano_expected.json").read_text())
    assert list(report.numbers.values()) == expected["stats"]
