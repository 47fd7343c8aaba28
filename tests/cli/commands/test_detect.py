"""`zoo detect` from the shell: what it prints, writes and answers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import zoo

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("weights") / "nano.safetensors"
    torch.manual_seed(0)  # of some seeds, all boxes are of one class
    save_file(zoo.load("yolox_nano", weights=False).state_dict(), file)
    return f"file:{file}"


@pytest.fixture
def run(tmp_path: Path, warm: Path, weights: str) -> Run:
    """`zoo detect` with random weights, in a folder with two images, `1.png` and `2.jpg`."""
    Image.linear_gradient("L").convert("RGB").resize((80, 60)).save(tmp_path / "1.png")
    Image.radial_gradient("L").convert("RGB").resize((60, 80)).save(tmp_path / "2.jpg")

    def run_in(
        *words: str, model: tuple[str, ...] = ("--weights", weights)
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [warm, "detect", *words, *model],
            cwd=tmp_path,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )

    return run_in


def test_an_image_gets_a_line(run: Run) -> None:
    done = run("1.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1.png  80x60  ")


def test_random_weights_are_warned_of(run: Run) -> None:
    done = run("1.png", model=("--weights", "random"))
    assert done.returncode == 0
    assert "yolox_nano has random weights: what it sees means nothing." in done.stderr


def test_json_has_one_object_per_image(run: Run, tmp_path: Path) -> None:
    assert (
        run("1.png", "2.jpg", "--score", "0", "--max-boxes", "3", "--json", "out.json").returncode
        == 0
    )
    first, second = json.loads((tmp_path / "out.json").read_text())
    assert list(first) == ["file", "width", "height", "model", "weights_sha256", "detections"]
    assert (first["file"], first["width"], first["height"]) == ("1.png", 80, 60)
    assert (second["width"], second["height"]) == (60, 80)
    assert first["model"] == "yolox_nano"
    assert len(first["weights_sha256"]) == 64
    assert len(first["detections"]) == 3
    assert list(first["detections"][0]) == ["box", "score", "label", "name"]


def test_json_to_standard_output_is_nothing_but_json(run: Run) -> None:
    assert len(json.loads(run("1.png", "--json", "-").stdout)) == 1


def test_json_lines_have_one_object_a_line(run: Run, tmp_path: Path) -> None:
    run("1.png", "2.jpg", "--json", "out.jsonl")
    assert [
        json.loads(line)["file"] for line in (tmp_path / "out.jsonl").read_text().splitlines()
    ] == ["1.png", "2.jpg"]


def test_coco_results_have_the_data_sets_own_ids(run: Run, tmp_path: Path) -> None:
    assert run("1.png", "2.jpg", "--score", "0", "--coco", "out.json").returncode == 0
    rows = json.loads((tmp_path / "out.json").read_text())
    assert {row["image_id"] for row in rows} == {1, 2}
    assert {row["category_id"] for row in rows} <= set(
        zoo.load("yolox_nano", weights=False).label_space.ids
    )


def test_coco_image_ids_come_from_the_annotations(run: Run, tmp_path: Path) -> None:
    (tmp_path / "1.png").rename(tmp_path / "street.png")
    (tmp_path / "instances.json").write_text(
        json.dumps({"images": [{"id": 77, "file_name": "val/street.png"}]})
    )
    done = run(
        "street.png", "--score", "0", "--coco", "out.json", "--coco-images", "instances.json"
    )
    assert done.returncode == 0, done.stderr
    assert {row["image_id"] for row in json.loads((tmp_path / "out.json").read_text())} == {77}


def test_coco_categories_are_those_of_the_annotations_and_what_they_lack_is_told(
    run: Run, tmp_path: Path
) -> None:
    categories = [{"id": 40, "name": "Person"}, {"id": 7, "name": "unicorn"}]
    content = {"images": [{"id": 77, "file_name": "1.png"}], "categories": categories}
    (tmp_path / "instances.json").write_text(json.dumps(content))
    done = run("1.png", "--score", "0", "--coco", "out.json", "--coco-images", "instances.json")
    assert done.returncode == 0, done.stderr
    assert {row["category_id"] for row in json.loads((tmp_path / "out.json").read_text())} <= {40}
    assert "that the annotations do not have are not in the COCO results" in " ".join(
        done.stderr.split()
    )


def test_annotations_with_none_of_the_models_classes_are_an_error(run: Run, tmp_path: Path) -> None:
    content = {
        "images": [{"id": 77, "file_name": "1.png"}],
        "categories": [{"id": 7, "name": "unicorn"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    done = run("1.png", "--coco", "out.json", "--coco-images", "instances.json")
    assert done.returncode == 7
    assert "The annotations have none of its classes: theirs are unicorn" in done.stderr
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ((), "--coco-images"),
        (("--coco-images", "instances.json"), "Pass the annotations of these images"),
    ],
)
def test_an_image_without_a_coco_id_is_named_before_work_begins(
    run: Run, tmp_path: Path, words: tuple[str, ...], advice: str
) -> None:
    (tmp_path / "2.jpg").rename(tmp_path / "street.jpg")
    (tmp_path / "instances.json").write_text(
        json.dumps({"images": [{"id": 1, "file_name": "1.png"}]})
    )
    before = sorted(os.listdir(tmp_path))
    done = run(
        "1.png",
        "street.jpg",
        "--json",
        "seen.json",
        "--coco",
        "out.json",
        *words,
        model=("--model", "file:no_such_model"),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: COCO results need the image id of 'street.jpg'.\n")
    assert advice in done.stderr
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("words", [(), ("--coco", "out.json")])
@pytest.mark.parametrize(
    ("source", "case"),
    [("nomatch*.jpg", "The pattern matches no file"), ("a.jpg", "There is no such file")],
)
def test_what_is_not_there_is_told_alike_with_and_without_coco_results(
    run: Run, words: tuple[str, ...], source: str, case: str
) -> None:
    done = run(source, *words)
    assert done.returncode == 6
    assert case in done.stderr
    assert "image id" not in done.stderr


@pytest.mark.parametrize("option", ["--json", "--coco"])
def test_a_missing_folder_is_an_error_before_work_begins(
    run: Run, tmp_path: Path, option: str
) -> None:
    done = run("1.png", option, "new/out.json", model=("--model", "file:no_such_model"))
    assert done.returncode == 6
    assert "There is no folder 'new'." in done.stderr
    assert not (tmp_path / "new").exists()


def test_work_that_stops_leaves_no_half_of_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "3.jpg").write_bytes(b"not an image")
    (tmp_path / "seen.json").write_text("yesterday's")
    before = sorted(os.listdir(tmp_path))
    done = run(
        "1.png",
        "3.jpg",
        "2.jpg",
        "--batch-size",
        "1",
        "--on-error",
        "raise",
        "--json",
        "seen.json",
        "--coco",
        "out.json",
    )
    assert done.returncode == 6
    assert "3.jpg" in done.stderr
    assert (tmp_path / "seen.json").read_text() == "yesterday's"
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "-", "--coco", "-"),
        ("--json", "a.json", "--coco", "./a.json"),
        ("--coco-images", "instances.json"),
    ],
)
def test_outputs_in_each_others_way_are_a_usage_mistake(run: Run, words: tuple[str, ...]) -> None:
    done = run("1.png", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")


def test_a_reader_who_left_ends_the_work_quietly(run: Run, tmp_path: Path, weights: str) -> None:
    run("1.png")  # makes the images
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        sys.executable,
        "-m",
        "zoo",
        "detect",
        "1.png",
        "2.jpg",
        "--weights",
        weights,
        "--json",
        "out.json",
    ]
    done = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
    assert not (tmp_path / "out.json").exists()


def test_annotated_images_keep_name_and_size(run: Run, tmp_path: Path) -> None:
    assert run("1.png", "2.jpg", "--save", "seen").returncode == 0
    with (
        Image.open(tmp_path / "seen" / "1.png") as first,
        Image.open(tmp_path / "seen" / "2.jpg") as second,
    ):
        assert first.size == (80, 60)
        assert second.size == (60, 80)


def test_two_images_of_one_name_do_not_overwrite_each_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "2.jpg").rename(tmp_path / "other" / "1.png")
    run("1.png", "other", "--save", "seen")
    assert sorted(map(str, (tmp_path / "seen").rglob("*.png"))) == [
        f"{tmp_path}/seen/1.png",
        f"{tmp_path}/seen/other/1.png",
    ]


def test_a_folder_and_a_glob_are_many_images(run: Run) -> None:
    assert len(run(".").stdout.splitlines()) == 2
    assert len(run("*.jpg").stdout.splitlines()) == 1


def test_a_broken_image_is_named_and_the_rest_comes_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(b"not an image")
    done = run("0.jpg", "1.png", "missing.png", "--json", "out.json")
    assert done.returncode == 1
    assert "0.jpg" in done.stderr
    assert "missing.png" in done.stderr
    assert "Warning: 2 of 3 images could not be read." in done.stderr
    assert done.stderr.count("Warning: ") == 3
    assert "on_error" not in done.stderr
    assert [one["file"] for one in json.loads((tmp_path / "out.json").read_text())] == ["1.png"]


def test_nothing_readable_has_an_exit_code_of_its_own(run: Run) -> None:
    done = run("missing.png")
    assert done.returncode == 6
    assert "Error: No image could be read." in done.stderr


def test_a_wrong_name_is_a_sentence_and_exit_code_3(run: Run) -> None:
    done = run("1.png", "--model", "yolox_nanno")
    assert done.returncode == 3
    assert "yolox_nano" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [("--score", "2"), ("--exif", "sideways"), ("--batch-size", "0"), ("--nonsense",)]
)
def test_a_usage_mistake_is_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert run("1.png", *words).returncode == 2


def test_a_device_that_is_not_there_is_a_sentence(run: Run) -> None:
    done = run("1.png", "--device", "cuda:99")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--json", "--coco", "--save"])
def test_an_unwritable_place_is_a_sentence(run: Run, tmp_path: Path, option: str) -> None:
    done = run("1.png", option, "1.png/below")
    assert done.returncode == 6
    assert "1.png" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_for_images_is_made_for_the_first_of_them(run: Run, tmp_path: Path) -> None:
    for words, model in ((("missing.png",), ()), (("1.png",), ("--model", "file:no_such_model"))):
        done = run(*words, "--save", "a/seen", **({"model": model} if model else {}))
        assert done.returncode != 0
        assert "Annotated images:" not in done.stderr
        assert not (tmp_path / "a").exists()
    assert run("1.png", "--save", "a/seen").returncode == 0
    assert [one.name for one in (tmp_path / "a/seen").iterdir()] == ["1.png"]


@pytest.mark.parametrize("given", ["a,,b", "a,", ""])
def test_a_class_without_a_name_is_a_mistake_of_typing(run: Run, given: str) -> None:
    done = run("1.png", "--labels", given)
    assert done.returncode == 2
    assert "before or after a comma" in done.stderr


def test_weights_for_classes_of_ones_own_name_them(run: Run, tmp_path: Path) -> None:
    save_file(
        zoo.load("yolox_nano", weights=False, labels=["helmet", "vest"]).state_dict(),
        tmp_path / "mine.safetensors",
    )
    mine = ("--weights", "file:mine.safetensors", "--labels", "helmet, vest")
    done = run("1.png", "--score", "0", "--max-boxes", "3", "--json", "-", model=mine)
    (seen,) = json.loads(done.stdout)
    assert done.stderr == ""
    assert seen["model"] == "yolox_nano[helmet,vest]"
    assert {one["name"] for one in seen["detections"]} <= {"helmet", "vest"}


@pytest.mark.parametrize("words", [("--save", "."), ("--json", "1.png"), ("--coco", "1.png")])
def test_an_image_is_never_replaced_by_what_is_written_about_it(
    run: Run, tmp_path: Path, words: tuple[str, str]
) -> None:
    before = (tmp_path / "1.png").read_bytes()
    done = run("1.png", *words)
    assert done.returncode == 2
    assert "one of the images" in done.stderr or "would be replaced" in done.stderr
    assert (tmp_path / "1.png").read_bytes() == before
