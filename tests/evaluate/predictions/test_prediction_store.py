"""Runs on disk: killed at any moment and taken up again, never made twice, one process at a
time."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image
from torch.nn.modules.module import register_module_forward_pre_hook

import zoo
from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.errors import DataError, ImageError
from zoo.evaluate import Predictions, predict

Interrupt = Callable[[int], contextlib.AbstractContextManager[list[str]]]
PROTOCOL = zoo.Protocol(score=0.0, max_boxes=5)


@pytest.fixture
def interrupt() -> Interrupt:
    """Presses Ctrl-C when a whole detector has done so many forward passes of one image."""

    @contextlib.contextmanager
    def after(passes: int) -> Iterator[list[str]]:
        left = [passes]

        def count(module: torch.nn.Module, _: Any) -> None:
            if isinstance(module, zoo.Detector):
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1

        hook = register_module_forward_pre_hook(count)
        notes: list[str] = []
        try:
            with pytest.raises(KeyboardInterrupt) as raised:
                yield notes
            notes += getattr(raised.value, "__notes__", [])
        finally:
            hook.remove()

    return after


def run(street: Dataset, nano: str, to: Path | None, **options: Any) -> Predictions:
    return predict(
        "yolox_nano",
        data=street,
        weights=nano,
        to=to,
        **{"protocol": PROTOCOL, "batch_size": 1} | options,
    )


def same(a: Predictions, b: Predictions) -> bool:
    columns = ("image_ids", "files", "sizes", "starts", "boxes", "scores", "labels")
    return all(getattr(a, column).tobytes() == getattr(b, column).tobytes() for column in columns)


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
            Image.new("RGB", (170, 80), (1, 2, 3)).save(street.images[5].path)

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


def test_a_second_process_is_refused_while_the_first_is_at_it(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    path = run(street, nano, tmp_path / "there").path
    assert path is not None
    parts = tmp_path / "here" / f"{path.name}.parts"
    parts.mkdir(parents=True)
    with (
        FileLock(parts / "lock"),
        pytest.raises(DataError, match="Another process is making these"),
    ):
        run(street, nano, tmp_path / "here")
    assert len(run(street, nano, tmp_path / "here")) == 6


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


def test_a_damaged_part_is_named_and_its_images_are_looked_at_again_once_it_is_gone(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int], interrupt: Interrupt
) -> None:
    with interrupt(4):
        run(street, nano, tmp_path)
    [part] = tmp_path.glob("*.parts/*.parquet")
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(
        DataError, match=r"000000\.parquet was read, to go on with a run(.|\n)*the other parts stay"
    ):
        run(street, nano, tmp_path)
    part.unlink()
    assert len(run(street, nano, tmp_path)) == 6
    assert sum(looked) == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"provenance": {"seconds": "long"}},
            "'seconds' of its provenance is 'long', not a number",
        ),
        ({"provenance": {"seconds": "-1"}}, "'seconds' of its provenance"),
        (
            {"provenance": {"started": "yesterday"}},
            "'started' of its provenance is 'yesterday', not a time",
        ),
        ({"provenance": {"protocol_settings": "[1]"}}, "'protocol_settings' of its provenance"),
        ({"provenance": {"finished": None}}, "no entry 'finished'"),
        ({"provenance": {"model": "other"}}, "of another run"),
        ({"names": tuple(f"class {number}" for number in range(80))}, "classes are others"),
        ({"image_ids": np.arange(51, 55)}, "Image 51 is none of the data set's"),
        ({"image_ids": np.array(list("abcd"))}, "Image 'a' is none of the data set's"),
    ],
)
def test_a_part_that_was_changed_is_refused_by_name(
    street: Dataset,
    nano: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt: Interrupt,
    changes: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr("zoo.evaluate.predictions.prediction_store.SECONDS", 0.0)  # a part an image
    with interrupt(5):
        run(street, nano, tmp_path)
    first, second = sorted(tmp_path.glob("*.parts/*.parquet"))[:2]
    there = Predictions.read(second)
    facts = there.provenance | changes.get("provenance", {})
    ids = changes["image_ids"][: len(there)] if "image_ids" in changes else there.image_ids
    kept = {name: value for name, value in facts.items() if value is not None}
    replace(there, **changes | {"provenance": kept, "image_ids": ids}).write(second)
    with pytest.raises(
        DataError, match=rf"{second.name} was read, to go on with a run(.|\n)*{message}"
    ):
        run(street, nano, tmp_path)
    assert first.exists()
