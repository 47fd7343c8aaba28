"""A model is run once on a data set: what is there is read, what was interrupted goes on."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.nn.modules.module import register_module_forward_pre_hook

import zoo
from tests.evaluate.predictions.nano_run import PROTOCOL, Interrupt, run, same
from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.errors import DataError, ImageError, NameNotFound, UsageError
from zoo.evaluate import predict


def test_the_same_run_is_not_made_again(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int]
) -> None:
    first = run(street, nano, tmp_path)
    assert (sum(looked), len(first), len(first.scores)) == (6, 6, 30)
    again = run(street, nano, tmp_path)
    assert sum(looked) == 6
    assert same(first, again)
    assert again.provenance == first.provenance
    assert [path for path in tmp_path.iterdir() if path.name != "street"] == [first.path]


def test_runs_are_kept_in_the_zoo_s_home_unless_said_otherwise(street: Dataset, nano: str) -> None:
    path = run(street, nano, None).path
    assert path is not None
    assert path.parent == Path(os.environ["ZOO_HOME"]) / "runs"
    assert path.name.startswith("yolox_nano@street@custom-")


def test_another_protocol_or_other_weights_or_images_are_another_run(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int], dented: str
) -> None:
    files = {run(street, nano, tmp_path).path, run(street, nano, tmp_path, protocol="uniform").path}
    files.add(run(street, dented, tmp_path).path)
    street.images[0].path.write_bytes(street.images[1].path.read_bytes())
    files.add(run(street, nano, tmp_path).path)
    assert (len(files), sum(looked)) == (4, 24)


def test_frames_of_one_name_and_size_in_two_folders_are_two_runs(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int]
) -> None:
    """As cameras and video splitters number them."""
    frames = []
    for row, video in enumerate(("video1", "video2")):
        (tmp_path / video).mkdir()
        frames.append(tmp_path / video / "frame_000000.bmp")
        Image.new("RGB", (64, 64), (90, 120, 90 + row)).save(frames[-1])
    ids, boxes = [1], {"image": [1], "label": [0], "box": [[8, 5, 57, 55]]}
    truth = GroundTruth.of(ids, boxes, label_space=["person"])
    files = [
        run(Dataset("video", (ImageRecord(1, frame),), truth), nano, tmp_path / "runs").path
        for frame in frames
    ]
    assert (len(set(files)), sum(looked)) == (2, 2)
    frames[1].write_bytes(frames[0].read_bytes())
    assert (
        run(Dataset("video", (ImageRecord(1, frames[1]),), truth), nano, tmp_path / "runs").path
        == files[0]
    )
    assert sum(looked) == 2


def test_a_fresh_run_is_made_whatever_is_there(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int], interrupt: Interrupt
) -> None:
    first = run(street, nano, tmp_path)
    assert same(run(street, nano, tmp_path, fresh=True), first)
    assert sum(looked) == 12
    with interrupt(4) as notes:
        run(street, nano, tmp_path, fresh=True)
    assert "The same command without fresh goes on" in notes[0]
    assert len(run(street, nano, tmp_path, fresh=True)) == 6
    assert sum(looked) == 22
    run(street, nano, tmp_path)
    assert sum(looked) == 22


def test_an_image_that_changes_while_the_run_is_under_way_is_an_error_and_nothing_is_kept(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    def repaint(module: torch.nn.Module, _: Any) -> None:
        if isinstance(module, zoo.Detector):
            painted = tmp_path / "painted.png"
            Image.new("RGB", (170, 80), (1, 2, 3)).save(painted)
            painted.replace(street.images[5].path)  # at once: a reader may have it open

    hook = register_module_forward_pre_hook(repaint)
    with pytest.raises(DataError, match="An image has changed while the run was under way"):
        run(street, nano, tmp_path)
    hook.remove()
    assert list(tmp_path.rglob("*.parquet")) == []


def test_provenance_says_what_was_run_on_what_and_how(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    facts = run(street, nano, tmp_path).provenance
    assert facts["model"] == "yolox_nano"
    assert facts["weights_source"] == f"file:{Path(nano).name}"
    assert facts["plugin"].startswith("yolox (detzoo ")
    assert facts["data_sha256"] == street.sha256
    assert facts["protocol_sha256"] == PROTOCOL.sha256
    assert '"iou": 0.65' in facts["settings_in_force"]
    assert {
        "card_sha256",
        "weights_sha256",
        "torch",
        "device",
        "processor",
        "started",
        "finished",
        "seconds",
    } < set(facts)


def test_what_was_found_before_an_interrupt_stays(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int], interrupt: Interrupt
) -> None:
    with interrupt(4) as notes:
        run(street, nano, tmp_path)
    assert sum(looked) == 4
    [parts] = tmp_path.glob("*.parts")
    [note] = notes
    assert note == (
        f"yolox_nano on street: 4 images of 6 are kept in {parts}. "
        f"The same command goes on from there."
    )
    assert len(run(street, nano, tmp_path)) == 6
    assert sum(looked) == 6


def test_what_was_found_before_a_broken_image_is_not_run_again_with_it(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int]
) -> None:
    broken = street.images[4].path
    broken.write_bytes(b"\0" * broken.stat().st_size)
    for _ in range(2):
        with pytest.raises(ImageError, match=broken.name):
            run(street, nano, tmp_path)
        assert sum(looked) == 4


def test_a_detector_at_hand_is_run_anew_unless_a_folder_is_given(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int]
) -> None:
    model = zoo.load("yolox_nano", weights=nano)
    for _ in range(2):
        made = predict(model, data=street, protocol=PROTOCOL)
    assert (sum(looked), len(made), made.path) == (12, 6, None)
    assert "state_sha256" in made.provenance
    for _ in range(2):
        predict(model, data=street, protocol=PROTOCOL, to=tmp_path)
    assert sum(looked) == 18


@pytest.mark.parametrize("setting", ["wrapper", "prompts"])
def test_settings_that_nothing_applies_are_refused(street: Dataset, setting: str) -> None:
    protocol = zoo.Protocol(**{setting: "other"})
    with pytest.raises(UsageError, match=f"protocol with {setting}"):
        predict("yolox_nano", data=street, protocol=protocol)


def test_an_engine_that_no_plugin_has_is_said(street: Dataset, nano: str) -> None:
    with pytest.raises(NameNotFound, match="No engine named 'other'"):
        predict("yolox_nano", weights=nano, data=street, protocol=zoo.Protocol(engine="other"))


def test_the_protocol_and_the_argument_name_one_engine(street: Dataset) -> None:
    protocol = zoo.Protocol(engine="openvino")
    with pytest.raises(UsageError, match="names another: openvino"):
        predict("yolox_nano", data=street, protocol=protocol, engine="onnxruntime")
