"""`zoo.evaluate`: a model, or what it saw, and a data set to a report that says what it is of."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.data import Dataset, GroundTruth, Photo
from zoo.errors import DataError, LabelError, UsageError, ZooError
from zoo.evaluate import DataWarning, Evaluator, Policy, Predictions, Report, predict

EVERYTHING = zoo.Protocol(score=0.0, max_boxes=50)


def perfect(street: Dataset, **changes: object) -> Predictions:
    """What a model sees that is always right."""
    truth = street.truth
    corners = truth.xywh.copy()
    corners[:, 2:] += corners[:, :2]
    columns = {
        "image_ids": truth.image_ids,
        "files": np.array([photo.path.name for photo in street.images]),
        "sizes": np.array([[photo.height, photo.width] for photo in street.images], np.int32),
        "starts": truth.starts,
        "boxes": corners.astype(np.float32),
        "scores": np.full(len(corners), 0.9, np.float32),
        "labels": truth.labels,
        "names": street.label_space.names,
        "provenance": {"model": "oracle", "protocol": "uniform", "protocol_settings": "{}"},
    }
    return Predictions(**columns | changes)  # type: ignore[arg-type]


def test_the_module_is_called_and_imported_from_alike() -> None:
    code = """
import sys, zoo
from zoo.evaluate import Evaluator
import zoo.evaluate.coco
assert callable(zoo.evaluate) and zoo.evaluate.Evaluator is Evaluator and zoo.evaluate is sys.modules["zoo.evaluate"]
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


def test_a_perfect_model_scores_1(street: Dataset) -> None:
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


def test_a_model_that_knows_no_class_of_the_data_is_refused(street: Dataset) -> None:
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
    street: Dataset, tmp_path: Path, options: dict[str, object], what: str
) -> None:
    (tmp_path / "theirs.json").write_text("[]")
    perfect(street).write(tmp_path / "seen.parquet")
    for one in (perfect(street), tmp_path / "seen.parquet", tmp_path / "theirs.json"):
        with pytest.raises(UsageError, match=what):
            zoo.evaluate(one, data=street, **options)  # type: ignore[arg-type]


def test_the_protocol_that_predictions_were_made_under_may_be_named(street: Dataset) -> None:
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
        ([], {}, "A list was to be run"),
        (None, {}, "None was to be run"),
        (5, {}, "An int was to be run"),
        ("yolox_nano", {"data": None}, "None was named"),
        ("yolox_nano", {"data": 7}, "An int was named"),
        ("yolox_nano", {"protocol": "unifrom"}, "Did you mean 'uniform'"),
        ("yolox_nano", {"protocol": 5}, "an int, no protocol"),
        ("yolox_nano", {"batch_size": 0}, "batch_size=0"),
        ("yolox_nano", {"resamples": 1.5}, "resamples=1.5"),
        ("yolox_nano", {"policy": "pycocotools"}, "'policy' is a Policy"),
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


def listed(street: Dataset, file: Path, **changes: object) -> Path:
    """A results list that finds every box."""
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
    file.write_text(
        json.dumps(
            [row | {name: change(row[name]) for name, change in changes.items()} for row in rows]
        )
    )  # type: ignore[operator]
    return file


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"bbox": lambda box: [box[0], box[1], box[0] + box[2], box[1] + box[3]]},
            "were corners written where COCO has sizes",
        ),
        (
            {"bbox": lambda box: [box[0] + box[2] / 2, box[1] + box[3] / 2, *box[2:]]},
            "were centres written where COCO has corners",
        ),
        (
            {"bbox": lambda box: [side / 200 for side in box]},
            "fractions of the picture, not pixels",
        ),
        (
            {"bbox": lambda box: [box[0] + 900, *box[1:]]},
            "All 12 detections lie wholly outside of the picture",
        ),
        (
            {"bbox": lambda box: [3 * side for side in box[:2]] + box[2:]},
            "12 detections|reach beyond the edge",
        ),
        (
            {"score": lambda _: 87},
            "All 12 scores lie outside of 0 to 1, from 87 to 87: are they percentages",
        ),
        ({"score": lambda _: -3}, "are they logits"),
    ],
    ids=["corners", "centres", "fractions", "outside", "not scaled", "percentages", "logits"],
)
def test_a_list_that_looks_wrong_is_measured_and_remarked_on(
    street: Dataset, tmp_path: Path, changes: dict[str, object], note: str
) -> None:
    report = zoo.evaluate(
        listed(street, tmp_path / "theirs.json", **changes), data=street, resamples=0
    )
    [said] = report.measured.notes
    assert re.search(note, said)
    assert Report.from_json(report.to_json()) == report
    assert str(report).endswith(said)


@pytest.mark.parametrize(
    ("scale", "note"),
    [
        (
            lambda photo: (416 / max(photo.width, photo.height),) * 2,
            "scaled back from 416 pixels many more would",
        ),
        (
            lambda photo: (300 / photo.width, 300 / photo.height),
            "scaled back from 300×300 pixels many more would",
        ),
    ],
    ids=["fitted", "stretched"],
)
def test_boxes_of_the_size_that_a_network_saw_are_remarked_on(
    street: Dataset, tmp_path: Path, scale: Callable[[Any], tuple[float, float]], note: str
) -> None:
    file = listed(street, tmp_path / "theirs.json")
    sizes = {photo.id: 2 * scale(photo) for photo in street.images}
    rows = [
        row
        | {
            "bbox": [
                side * by for side, by in zip(row["bbox"], sizes[row["image_id"]], strict=True)
            ]
        }
        for row in json.loads(file.read_text())
    ]
    file.write_text(json.dumps(rows))
    assert any(note in said for said in zoo.evaluate(file, data=street, resamples=0).measured.notes)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda boxes: boxes + [one | {"id": one["id"] + 10**6} for one in boxes],
            "12 of 24 annotated boxes repeat another one",
        ),
        (
            lambda boxes: [one | {"bbox": [side / 400 for side in one["bbox"]]} for one in boxes],
            "boxes lie in the first two pixels",
        ),
        (
            lambda boxes: [one | {"area": 0} for one in boxes],
            "All 12 annotated areas do not fit the box",
        ),
        (
            lambda boxes: [one | {"area": 5 * one["area"]} for one in boxes],
            "All 12 annotated areas do not fit the box",
        ),
        (
            lambda boxes: [one | {"area": None} for one in boxes],
            "All 12 annotated boxes have no `area`, and that of the box",
        ),
        (
            lambda boxes: [
                {**boxes[0], "bbox": [5, 5, 0, 9]},
                {**boxes[1], "bbox": [900, 5, 9, 9]},
                *boxes[2:],
            ],
            "2 of 12 annotated boxes are 1 without area and 1 wholly outside of the image, and "
            "can't be found: "
            "over all boxes recall can't exceed 83.3 %",
        ),
    ],
    ids=[
        "joined twice",
        "fractions",
        "no areas",
        "areas of another size",
        "areas unknown",
        "never found",
    ],
)
def test_annotations_that_look_wrong_are_measured_and_remarked_on(
    street: Dataset,
    tmp_path: Path,
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    note: str,
) -> None:
    truth = street.truth
    columns = zip(
        truth.ids.tolist(),
        truth.images,
        truth.labels,
        truth.xywh.tolist(),
        truth.areas.tolist(),
        strict=True,
    )
    boxes = [
        {
            "id": number,
            "image_id": int(truth.image_ids[row]),
            "category_id": truth.label_space.ids[label],
            "bbox": box,
            "area": area,
        }
        for number, row, label, box, area in columns
    ]
    file = tmp_path / "instances.json"
    images = [
        {"id": one.id, "file_name": f"{one.id}.png", "width": one.width, "height": one.height}
        for one in street.images
    ]
    categories = [
        {"id": key, "name": name}
        for key, name in zip(truth.label_space.ids, truth.label_space.names, strict=True)
    ]
    file.write_text(
        json.dumps({"images": images, "categories": categories, "annotations": change(boxes)})
    )
    report = zoo.evaluate(
        listed(street, tmp_path / "theirs.json"), data=f"coco:{file}", resamples=0
    )
    assert [one for one in report.measured.notes if note in one]


def test_equal_scores_and_boxes_without_area_are_remarked_on(
    street: Dataset, tmp_path: Path
) -> None:
    file = listed(street, tmp_path / "theirs.json", bbox=lambda box: [*box[:2], 0, 0])
    rows = json.loads(file.read_text())
    file.write_text(
        json.dumps(
            [
                row | {"bbox": [row["bbox"][0], row["bbox"][1] + up, 0, 0]}
                for row in rows
                for up in (0, 1)
            ]
        )
    )
    notes = zoo.evaluate(file, data=street, resamples=0).measured.notes
    assert "All 24 detections have no area, and can match nothing." in notes
    assert "All 24 scores are 0.5: AP ranks by them, and here it can't." in notes


def test_a_list_that_was_joined_with_itself_is_remarked_on(street: Dataset, tmp_path: Path) -> None:
    file = listed(street, tmp_path / "theirs.json")
    file.write_text(json.dumps(2 * json.loads(file.read_text())))
    note, *_ = zoo.evaluate(file, data=street, resamples=0).measured.notes
    assert note.startswith("12 of 24 detections repeat another one in image, class, box and score")


def test_pictures_that_a_list_does_not_mention_are_counted(street: Dataset, tmp_path: Path) -> None:
    file = listed(street, tmp_path / "theirs.json")
    file.write_text(
        json.dumps([row for row in json.loads(file.read_text()) if row["image_id"] > 2])
    )
    report = zoo.evaluate(file, data=street, resamples=0)
    assert report.measured.images == 6
    assert report.measured.notes[0].startswith("The results list does not mention 2 of 6 pictures")
    rest = zoo.evaluate(file, data=street, resamples=0, policy=Policy(unseen_images="leave out"))
    assert (rest.measured.images, rest.ap) == (4, pytest.approx(1))


def test_a_sound_list_has_no_remark(street: Dataset, tmp_path: Path, shared: Path) -> None:
    assert (
        zoo.evaluate(
            listed(street, tmp_path / "theirs.json"), data=street, resamples=0
        ).measured.notes
        == ()
    )
    folder = shared / "coco_val2017_128"
    report = zoo.evaluate(
        folder / "yolox_nano_detections.json", data=folder / "instances.json", resamples=0
    )
    assert [note for note in report.measured.notes if "does not mention" not in note] == []


def test_annotated_boxes_beyond_their_picture_are_remarked_on(street: Dataset) -> None:
    small = [replace(photo, width=20) if photo.id == 3 else photo for photo in street.images]
    sizes = np.array([[photo.height, photo.width] for photo in small], np.int32)
    report = zoo.evaluate(
        perfect(street, sizes=sizes),
        data=Dataset("street", tuple(small), street.truth),
        resamples=0,
    )
    said = (
        "2 of 12 annotated boxes reach beyond the picture by more than a pixel, the first of them "
        "annotation 5 of image 3"
    )
    assert any(note.startswith(said) for note in report.measured.notes)


def test_a_run_on_other_pictures_than_annotated_ends_at_the_first_ones(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    other = Dataset(
        "street",
        tuple(replace(photo, width=photo.width + 1) for photo in street.images),
        street.truth,
    )
    with pytest.raises(DataError, match="6 of 6 images have another size"):
        predict("yolox_nano", data=other, weights=nano, to=tmp_path)


def test_pictures_that_were_never_looked_at_are_refused_by_name(street: Dataset) -> None:
    whole = perfect(street)
    kept = whole.starts[5]
    part = {name: getattr(whole, name)[:5] for name in ("image_ids", "files", "sizes")}
    part |= {name: getattr(whole, name)[:kept] for name in ("boxes", "scores", "labels")}
    with pytest.raises(DataError, match="1 of its 6 images was never handed over, among them 6"):
        zoo.evaluate(replace(whole, **part, starts=whole.starts[:6]), data=street)


def test_predictions_for_other_images_are_refused_by_name(street: Dataset) -> None:
    with pytest.raises(DataError, match="Image 101 is not in"):
        zoo.evaluate(perfect(street, image_ids=street.truth.image_ids + 100), data=street)


def test_a_picture_of_another_size_is_a_warning_and_most_of_them_an_error(street: Dataset) -> None:
    sizes = np.array([[photo.height, photo.width] for photo in street.images], np.int32)
    sizes[2] = sizes[2, ::-1]
    with pytest.warns(
        DataWarning,
        match=(
            "image 3 is 80 x 140 pixels, annotated as 140 x 80. Sizes are swapped: 1 is turned "
            "upright by EXIF"
        ),
    ):
        zoo.evaluate(perfect(street, sizes=sizes), data=street, resamples=0)
    with pytest.raises(DataError, match="6 of 6 images have another size"):
        zoo.evaluate(perfect(street, sizes=sizes + 1), data=street)


def test_predictions_of_other_files_are_refused_and_of_some_other_files_told(
    street: Dataset,
) -> None:
    files = perfect(street).files
    with pytest.raises(
        DataError,
        match=(
            r"no file name agrees; image 1 is 'x0\.png' in the predictions and '0\.png' in the "
            r"data set"
        ),
    ):
        zoo.evaluate(perfect(street, files=np.char.add("x", files)), data=street)
    some = files.astype("U9")
    some[2] = "other.png"
    [note] = zoo.evaluate(perfect(street, files=some), data=street, resamples=0).measured.notes
    assert note.startswith(
        "1 of 6 images has another file name than the predictions say: image 3 is 'other.png'"
    )


@pytest.mark.parametrize(
    "files", [["0.JPG", "1.jpg", "2.webp", "3.png", "4.png", "5.png"], [""] * 6]
)
def test_another_format_or_no_file_name_at_all_is_no_other_image(
    street: Dataset, files: list[str]
) -> None:
    assert (
        zoo.evaluate(
            perfect(street, files=np.array(files)), data=street, resamples=0
        ).measured.notes
        == ()
    )


def test_boxes_marked_to_be_left_out_count_and_that_is_told(street: Dataset) -> None:
    truth = street.truth
    marked = replace(truth, box_attributes={"difficult": np.arange(12) < 3})
    [note] = zoo.evaluate(
        perfect(street), data=Dataset("street", street.images, marked), resamples=0
    ).measured.notes
    assert note.startswith("3 of 12 annotated boxes are marked 'difficult'")


def test_a_data_set_without_images_is_refused(tmp_path: Path) -> None:
    nothing = Dataset(
        "nothing",
        (),
        GroundTruth.of([], {"image": [], "label": [], "box": []}, label_space=["person"]),
    )
    with pytest.raises(DataError, match="It has no image"):
        zoo.evaluate("yolox_nano", data=nothing, weights=False, to=tmp_path)


def test_a_data_set_and_its_ground_truth_have_the_same_images(street: Dataset) -> None:
    with pytest.raises(ValueError, match="one Photo for each"):
        Dataset("mixed up", (Photo(1, Path("1.png")),), street.truth)


def test_reports_of_different_protocols_are_not_compared(street: Dataset) -> None:
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
def test_yolox_nano_scores_what_it_should_on_real_photos(
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
