"""Conversions: nothing is lost that both formats can hold, and what is lost is said."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from PIL import Image

from tests.data.random_datasets import FLAGS, datasets
from zoo.data import Dataset, GroundTruth, ImageRecord, convert, read
from zoo.data.difference import difference
from zoo.errors import DataError
from zoo.registry.builtin import register_datasets

FORMATS = ("coco", "voc", "yolo", "csv", "hub-folder")
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking takes a minute
HOLDS: dict[str, tuple[str, ...]] = {}
register_datasets(lambda name, _read, **settings: HOLDS.update({name: settings.get("holds", ())}))


def facts(data: Dataset, kept: set[str]) -> dict[str, object]:
    """What a data set says of each thing that a format may hold, by names of files and classes."""
    truth, space = data.truth, data.label_space
    files = [name.replace("\\", "/") for name in data.images.files]  # type: ignore[attr-defined]
    classes = [space.names[label] for label in truth.labels.tolist()]
    keys = [(files[row], name) for row, name in zip(truth.images.tolist(), classes, strict=True)]
    order = sorted(range(len(keys)), key=keys.__getitem__)  # stable: of one class as given
    ids = dict(zip(space.names, space.ids, strict=True))
    by_file = sorted(range(len(files)), key=files.__getitem__)
    found: dict[str, object] = {
        "crowd": truth.crowd[order].tolist(),
        "area": np.round(truth.areas[order], 6).tolist(),
        "box ids": truth.ids[order].tolist(),
        "image ids": [str(truth.image_ids[row]) for row in by_file],
        "class ids": [ids[name] for name in sorted(set(classes))],
        "unused classes": sorted(space.names),
        "splits": {name: {files[row] for row in rows} for name, rows in data.split_rows.items()},
    }
    if "unused classes" in kept:
        found["class order"] = space.names
    for flag in FLAGS:
        values = truth.box_attributes.get(flag, np.zeros(len(keys)))
        found[flag] = np.asarray(values, bool)[order].tolist()
    return {name: value for name, value in found.items() if name in kept}


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
@settings(max_examples=3, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(make=datasets())
def test_a_round_trip_keeps_all_that_both_formats_hold(
    first: str, second: str, make: Callable[[Path], Dataset]
) -> None:
    with TemporaryDirectory() as folder:
        data = make(Path(folder) / "source")
        step = convert(data, f"{first}:{folder}/first")
        last = convert(step.data, f"{second}:{folder}/second")
        assert step.checked
        assert last.checked
        again = read(last.data)
        kept = {*HOLDS[first]} & {*HOLDS[second]}
        assert difference(data, again) == ""
        assert facts(data, kept) == facts(again, kept)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=4, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(make=datasets())
def test_what_is_not_the_same_is_said_to_be_lost(
    name: str, make: Callable[[Path], Dataset]
) -> None:
    with TemporaryDirectory() as folder:
        data = make(Path(folder) / "source")
        made = convert(data, f"{name}:{folder}/made")
        again = read(made.data)
        words = {
            "crowd": "crowd",
            "area": "area",
            "box ids": "ids of boxes",
            "image ids": "ids of images",
            "unused classes": "no box",
            "splits": "split",
        } | {flag: flag for flag in FLAGS}
        before, after = facts(data, {*words}), facts(again, {*words})
        changed = {key for key in before if before[key] != after[key]}
        unsaid = {key for key in changed if not any(words[key] in text for text in made.losses)}
        assert unsaid - {"box ids"} == set()  # ids that are 1, 2, 3 in another order are nobody's


def some(folder: Path, name: str = "a.png") -> Path:
    """A COCO file with one image and one box."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(folder / name)
    file = folder / "instances.json"
    file.write_text(
        f'{{"images": [{{"id": 7, "file_name": "{name}", "width": 8, "height": 6}}],'
        '"categories": [{"id": 3, "name": "cat"}],'
        '"annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 1, 2.5, 2]}]}'
    )
    return file


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_that_is_written_is_recognised_and_has_the_images(
    tmp_path: Path, name: str
) -> None:
    made = convert(some(tmp_path / "site"), f"{name}:{tmp_path / 'made'}")
    shutil.rmtree(tmp_path / "site")
    again = read(tmp_path / "made")
    assert made.copied
    assert again.images[0].path.is_file()
    np.testing.assert_allclose(again.truth.boxes, [[1, 1, 3.5, 3]])


def test_without_images_it_says_how_to_read_what_was_written(tmp_path: Path) -> None:
    made = convert(some(tmp_path / "site"), f"yolo:{tmp_path / 'made'}", images="none")
    assert made.data == f"yolo:{tmp_path / 'made'},images={tmp_path / 'site'}"
    assert made.checked
    assert sorted(one.name for one in (tmp_path / "made").iterdir()) == ["data.yaml", "labels"]


def test_nothing_is_overwritten_and_the_source_is_never_touched(tmp_path: Path) -> None:
    file = some(tmp_path / "site")
    before = {one: one.read_bytes() for one in (tmp_path / "site").iterdir()}
    convert(file, f"voc:{tmp_path / 'made'}")
    convert(file, f"voc:{tmp_path / 'made-2'}")
    with pytest.raises(DataError, match=r"made' exists already(.|\n)*empty folder, as .*made-3$"):
        convert(file, f"voc:{tmp_path / 'made'}")
    (tmp_path / "text").touch()
    for to in (tmp_path / "text", "."):
        with pytest.raises(DataError, match="exists already, and is a f"):
            convert(read(file), f"voc:{to}")
    with pytest.raises(DataError, match="is in the source, which is never changed"):
        convert(tmp_path / "site", f"voc:{tmp_path / 'site' / 'voc'}")
    with pytest.raises(DataError, match="is in the source, which is never changed"):
        convert(file, f"coco:{file}")
    assert {one: one.read_bytes() for one in (tmp_path / "site").iterdir()} == before


def test_a_missing_image_is_named_and_leaves_no_half_of_a_folder(tmp_path: Path) -> None:
    file = some(tmp_path / "site")
    (tmp_path / "site" / "a.png").unlink()
    with pytest.raises(DataError, match=r"Image 7 is not at (.|\n)*convert without them"):
        convert(file, f"csv:{tmp_path / 'made'}")
    assert [one.name for one in tmp_path.iterdir()] == ["site"]


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    file = some(tmp_path / "site")
    file.write_text(file.read_text().replace("a.png", "../../a.png"))
    for name in ("voc", "yolo"):
        with pytest.raises(DataError, match=r"'\.\./\.\./a\.png' leads out of its folder"):
            convert(file, f"{name}:{tmp_path / name}", images="none")


def test_two_images_of_one_stem_have_no_two_files_of_labels(tmp_path: Path) -> None:
    truth = GroundTruth.of(
        [1, 2], {"image": [1], "label": [0], "box": [[0, 0, 1, 1]]}, label_space=["a"]
    )
    records = [ImageRecord(1, tmp_path / "a.png", 4, 4), ImageRecord(2, tmp_path / "a.jpg", 4, 4)]
    with pytest.raises(DataError, match=re.escape("'a.png' and 'a.jpg'")):
        convert(Dataset("some", records, truth), f"yolo:{tmp_path / 'made'}", images="none")


def test_real_data_sets_become_every_format(shared: Path, tmp_path: Path) -> None:
    for source, boxes in (("bccd_voc/BCCD", 4888), ("fish_voc", 276), ("rbc_coco_json", 5638)):
        for name in FORMATS:
            to = tmp_path / name / source.replace("/", "_")
            made = convert(shared / source, f"{name}:{to}", images="none")
            assert made.boxes == boxes
            assert made.checked or (name, source) == ("yolo", "rbc_coco_json")  # in three folders
