"""Images that EXIF turns, annotated as they are stored: said, and measured right with
`exif="ignore"`, in Python and shell."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import zoo
from zoo.data import Dataset, read
from zoo.errors import DataError
from zoo.evaluate import predict
from zoo.evaluate.diagnostics.image_sizes import size_notes

PROTOCOL = zoo.Protocol(score=0.0, max_boxes=5)
TURN = 6  # stored on its side


@pytest.fixture
def turned(street: Dataset) -> Dataset:
    """The street as a phone stores it: every image says it has to be turned, and is annotated
    unturned."""
    for photo in street.images:
        exif = Image.Exif()
        exif[0x0112] = TURN
        with Image.open(photo.path) as opened:
            opened.load()
            opened.save(photo.path, exif=exif)
    return read(street.truth.name)


def test_the_error_names_the_cause_and_the_option(
    turned: Dataset, nano: str, tmp_path: Path
) -> None:
    with pytest.raises(
        DataError, match=r"Sizes are swapped: 6 are turned upright by EXIF(.|\n)*exif='ignore'"
    ) as error:
        predict("yolox_nano", data=turned, weights=nano, to=tmp_path, protocol=PROTOCOL)
    assert error.value.fix_cli == "Read them as they are stored: --exif ignore"


def test_images_taken_as_stored_are_measured(turned: Dataset, nano: str, tmp_path: Path) -> None:
    stored = replace(PROTOCOL, exif="ignore")
    report = zoo.evaluate(
        "yolox_nano", data=turned, weights=nano, to=tmp_path, protocol=stored, resamples=0
    )
    assert not any("another size" in note for note in report.measured.notes)


def test_the_other_way_round_says_the_other_thing(street: Dataset) -> None:
    looked = [(photo.id, (photo.width or 0, photo.height or 0)) for photo in street.images]
    with pytest.raises(DataError, match=r"annotated upright and read as stored(.|\n)*exif='apply'"):
        size_notes(looked, street, model="a model", stored=True)


def test_the_shell_has_the_option_on_every_command_that_measures(
    turned: Dataset, nano: str, tmp_path: Path, shell: Callable[..., Any]
) -> None:
    data, to = f"coco:{turned.truth.name}", str(tmp_path / "runs")
    words = ("yolox_nano", "--data", data, "--weights", nano, "--to", to)
    refused = shell("predict", *words)
    assert refused.code == 10
    assert "--exif ignore" in refused.err
    done = shell("predict", *words, "--exif", "ignore", "--json")
    [made] = json.loads(done.out)
    assert json.loads(made["provenance"]["protocol_settings"])["exif"] == "ignore"
    measured = shell("evaluate", *words, "--exif", "ignore", "--resamples", "0")
    assert measured.code == 0, measured.err
    assert len(list(Path(to).glob("*.parquet"))) == 1
    upright = shell("predict", *words, "--exif", "apply")
    assert "--exif ignore" in upright.err


def test_exif_decides_nothing_for_what_was_seen_before(
    turned: Dataset, tmp_path: Path, shell: Callable[..., Any]
) -> None:
    (tmp_path / "theirs.json").write_text("[]")
    file, data = str(tmp_path / "theirs.json"), f"coco:{turned.truth.name}"
    assert "--exif" in shell("evaluate", file, "--data", data, "--exif", "ignore").err
    assert (
        "--exif or --fresh" in shell("compare", file, file, "--data", data, "--exif", "ignore").err
    )
