"""Data sets by what a person types."""

import json
import shlex
from pathlib import Path

import pytest
from PIL import Image

from zoo.data import Dataset, GroundTruth, ImageRecord, check, convert, read
from zoo.data.fix import fix
from zoo.data.source import relative_to
from zoo.errors import DataError, NameNotFound


def written(
    folder: Path, *, name: str = "instances.json", pictures: str = ".", **changes: object
) -> Path:
    """A COCO file with one image, which is put where asked."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 8, "height": 6} | changes],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [0, 0, 2, 2]}],
    }
    (folder / name).write_text(json.dumps(content))
    (folder / pictures).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(folder / pictures / "a.png")
    return folder / name


@pytest.mark.parametrize("pictures", [".", "val2017", "../val2017", ".."])
def test_images_are_found_beside_the_annotations_and_in_folders_near_them(
    tmp_path: Path, pictures: str
) -> None:
    file = written(tmp_path / "set" / "annotations", pictures=pictures)
    [record] = read(f"coco:{file}").images
    assert (record.id, record.width, record.height) == (7, 8, 6)
    assert record.path.samefile(file.parent / pictures / "a.png")


def test_options_say_where_the_images_are_and_what_the_data_is_called(tmp_path: Path) -> None:
    file = written(tmp_path / "notes", pictures="../far/away")
    with pytest.raises(DataError, match=r"Image 7 is not at (.|\n)*images=FOLDER"):
        _ = read(file).images_sha256
    data = read(f"coco:{file},images={tmp_path / 'far' / 'away'},name=Far away")
    assert data.name == "Far away"
    assert len(data.images_sha256) == 64


def test_a_file_is_called_by_its_name_or_by_its_folder_where_the_name_says_nothing(
    tmp_path: Path,
) -> None:
    assert read(written(tmp_path / "street")).name == "street"
    assert (
        read(written(tmp_path / "street", name="instances_val2017.json")).name
        == "instances_val2017"
    )


def test_a_data_set_is_taken_as_it_is(tmp_path: Path) -> None:
    data = read(written(tmp_path))
    assert isinstance(data, Dataset)
    assert read(data) is data


def test_the_annotations_move_one_fingerprint_and_the_images_the_other(tmp_path: Path) -> None:
    data = read(written(tmp_path))
    elsewhere = read(written(tmp_path / "copy"))
    before = data.images_sha256
    assert (data.sha256, before) == (elsewhere.sha256, elsewhere.images_sha256)
    Image.radial_gradient("L").save(tmp_path / "a.png")
    repainted = read(tmp_path / "instances.json")
    assert repainted.sha256 == data.sha256
    assert repainted.images_sha256 == data.images_sha256 != before


def test_a_format_or_option_that_there_is_not_says_what_there_is(tmp_path: Path) -> None:
    file = written(tmp_path)
    with pytest.raises(NameNotFound, match="zoo/coco"):
        read(f"cocoo:{file}")
    with pytest.raises(
        DataError, match=r"no option 'pictures'; it has images \(a path\), name \(text\)"
    ):
        read(f"coco:{file},pictures={tmp_path}")
    (tmp_path / "things.txt").touch()
    with pytest.raises(DataError, match=r"Write for example coco:.*things\.txt"):
        read(str(tmp_path / "things.txt"))
    with pytest.raises(DataError, match="'nowhere' is not a folder"):
        read(f"coco:{file},images=nowhere")


def test_an_empty_folder_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="The folder is empty"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("coco:", r"It names no file(.|\n)*coco:path/instances\.json"),
        ("coco:,images=x", "It names no file"),
        ("coco:a.json,images=x,name=y,images=z", "the option 'images' twice"),
        (None, "None was named as a data set"),
        (["a.json"], "A list was named as a data set"),
    ],
)
def test_what_names_no_data_set_is_a_sentence(data: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "Infinity"])
def test_numbers_that_json_does_not_have_are_named(tmp_path: Path, number: str) -> None:
    file = written(tmp_path)
    text = file.read_text().replace('"bbox": [0', f'"bbox": [{number}')
    file.write_text(text)
    with pytest.raises(
        DataError,
        match=rf"\(id 1, image \d+\) has the bbox \[{number}, .*, not four numbers",
    ):
        read(file)


def test_missing_areas_are_counted_and_refused_where_that_is_asked(tmp_path: Path) -> None:
    file = written(tmp_path)
    assert read(file).truth.no_area == 1
    with pytest.raises(DataError, match=r"annotations\[0\] \(id 1, image \d+\) has no area"):
        read(f"coco:{file},missing_area=refuse")
    with pytest.raises(DataError, match=r"'box' or 'refuse'(.|\n)*Did you mean 'refuse'"):
        read(f"coco:{file},missing_area=refused")


def test_an_address_in_a_folder_is_read_from_anywhere(tmp_path: Path) -> None:
    file = written(tmp_path / "board" / "lr=1,run=2", pictures="../far, away")
    for typed in (
        "lr=1,,run=2/instances.json,images=lr=1,,run=2/../far,, away,name=toy",
        "coco:lr=1,,run=2/instances.json,name=toy,images=far,, away",
    ):
        address = relative_to(typed, tmp_path / "board")
        dataset = read(address)
        assert dataset.name == "toy"
        assert dataset.images[0].path.parent.samefile(tmp_path / "board" / "far, away"), address
    assert read(relative_to("lr=1,run=2/instances.json", tmp_path / "board")).name == "lr=1,run=2"
    assert relative_to(str(file), Path("elsewhere")) == f"coco:{str(file).replace(',', ',,')}"


def test_an_address_of_no_file_is_the_same_in_every_folder(tmp_path: Path) -> None:
    assert relative_to("shapes:test,count=3", tmp_path) == "shapes:test,count=3"
    assert relative_to("hub:org/name,split=test", tmp_path) == "hub:org/name,split=test"
    lists = relative_to("shapes:test,count=3,splits=lists", tmp_path)
    assert lists == f"shapes:test,count=3,splits={tmp_path / 'lists'}"


def converted(folder: Path, format_: str) -> Path:
    """A data set of two images with a box each."""
    boxes = {"image": [1, 2], "label": [0, 0], "box": [[0, 0, 2, 2]] * 2}
    records = [ImageRecord(row, folder / f"{row}.png", 8, 6) for row in (1, 2)]
    for record in records:
        Image.new("RGB", (8, 6)).save(record.path)
    truth = GroundTruth.of([1, 2], boxes, label_space=["cat"])
    convert(Dataset("some", records, truth), f"{format_}:{folder / 'a site'}")
    return folder / "a site"


@pytest.mark.parametrize(
    ("format_", "file", "before", "after"),
    [
        ("coco", "instances.json", '"category_id":0', '"category_id":9'),
        ("voc", "Annotations/1.xml", "</annotation>", ""),
        ("yolo", "labels/1.txt", "0 ", "cat "),
        ("csv", "annotations.csv", "0,0,2,2", "2,2,0,0"),
        ("hub-folder", "images/metadata.jsonl", "0.0,0.0,2.0,2.0", "2.0,2.0,-2.0,-2.0"),
    ],
)
def test_an_error_names_the_command_that_writes_a_corrected_copy_and_it_does(
    tmp_path: Path, format_: str, file: str, before: str, after: str
) -> None:
    site = converted(tmp_path, format_)
    content = (site / file).read_text()
    (site / file).write_text(content.replace(before, after, 1))
    with pytest.raises(DataError) as caught:
        read(str(site))
    command = caught.value.fix.splitlines()[-1].partition(": ")[2]
    assert shlex.split(command) == ["zoo", "data", "check", str(site), "--fix", "FOLDER"]
    made = fix(str(site), check(str(site)), str(tmp_path / "made"))
    assert len(read(made.written.data)) in (1, 2)


@pytest.mark.parametrize(
    ("format_", "file"), [("coco", "instances.json"), ("voc", "Annotations/1.xml")]
)
def test_an_error_that_no_corrected_copy_mends_names_no_such_command(
    tmp_path: Path, format_: str, file: str
) -> None:
    site = converted(tmp_path, format_)
    (site / "Annotations" / "2.xml").unlink(missing_ok=True)
    (site / file).write_text("{<")
    with pytest.raises(DataError) as caught:
        read(str(site))
    assert "--fix" not in caught.value.fix
