"""A worker answers with detections or with an error, and never raises that of an image."""

import hashlib
from pathlib import Path

import pytest

from zoo.cluster.job import AbsentImages, Failed, Job, Ready, SentImage, SentModel
from zoo.cluster.worker import ModelWorker, sendable, source_of, with_file_name
from zoo.contract.protocol import Protocol
from zoo.data import Dataset
from zoo.errors import DataError, ImageError, UsageError
from zoo.images import Limits


def job_of(model: SentModel) -> Job:
    return Job("toy", model, Protocol(), lambda _: {"torch": "2"}, limits=Limits())


@pytest.fixture(scope="module")
def worker() -> ModelWorker:
    """A worker that has YOLOX-Pico."""
    import zoo

    made = ModelWorker()
    ready = made.prepare(job_of(SentModel(detector=zoo.load("yolox_pico"))), {})
    assert isinstance(ready, Ready)
    assert ready.facts == {"torch": "2"}
    return made


def test_an_image_is_taken_only_with_the_content_that_it_had(street: Dataset) -> None:
    path = street.images[0].path
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert source_of(SentImage(str(path), sha256)) == path
    assert source_of(SentImage(str(path), "")) == path
    assert source_of(SentImage(str(path), "0" * 64)) is None
    assert source_of(SentImage(str(path.with_name("gone.png")), sha256)) is None
    assert source_of(SentImage("a", sha256, content)) == content
    assert source_of(SentImage("a", sha256, lambda: content)) == content
    assert source_of(SentImage("a", sha256, content[1:])) is None


def test_an_absent_image_is_named(worker: ModelWorker, tmp_path: Path) -> None:
    assert worker.detect([SentImage(str(tmp_path / "a.png"), "")], [1]) == AbsentImages(
        str(tmp_path / "a.png")
    )


def test_the_error_of_an_image_comes_after_what_was_seen_before(
    worker: ModelWorker, street: Dataset
) -> None:
    paths = [record.path for record in street.images]
    content = paths[2].read_bytes()
    images = [SentImage(str(paths[0]), ""), SentImage("b.png", "", content[:-40])]
    answer = worker.detect([*images, SentImage(str(paths[1]), "")], [2, 1])
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, ImageError)
    assert "b.png" in str(answer.error)
    assert len(answer.detections) == 1


def test_a_model_that_can_t_be_loaded_is_an_answer() -> None:
    answer = ModelWorker().prepare(job_of(SentModel()), {})
    assert isinstance(answer, Failed)


def test_the_batches_of_images_are_planned(worker: ModelWorker) -> None:
    assert worker.plan([(80, 120)] * 25) == [[*range(10)], [*range(10, 20)], [*range(20, 25)]]


def test_an_error_that_can_t_be_sent_goes_as_text() -> None:
    error = ValueError("odd")
    error.place = lambda: 0  # type: ignore[attr-defined]
    assert str(sendable(error)) == "ValueError: odd"
    kept = DataError("a", "b", "c", fix_cli="d")
    assert sendable(kept) is kept


def test_an_image_without_a_file_is_called_by_its_name() -> None:
    error = with_file_name(
        ImageError("'image 3' was read.", "Odd.", "Fix.", file="image 3"), "b.png"
    )
    assert str(error).startswith("'b.png' was read.")
    other = UsageError("a", "b", "c")
    assert with_file_name(other, "b.png") is other
