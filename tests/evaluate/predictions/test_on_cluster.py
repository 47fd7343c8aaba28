"""A run on a cluster is the run of one process: its file, its bits, its resuming, its errors. The
workers are in this process; tests/cluster/test_cluster.py has real ones."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.cluster.in_process import InProcessCluster
from tests.evaluate.predictions.nano_run import same
from zoo.cluster.pool import MAX_DEATHS
from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.errors import ClusterError, ImageError, UsageError
from zoo.evaluate import Predictions, predict

PROTOCOL = zoo.Protocol(score=0.001, max_boxes=20)


def run(dataset: Dataset, to: Path, **options: Any) -> Predictions:
    """YOLOX-Pico, whose weights are in the wheel, on a data set."""
    options = {"batch_size": 2, "protocol": PROTOCOL, "to": to} | options
    return predict("yolox_pico", data=dataset, **options)


@pytest.fixture
def scenes(street: Dataset) -> Dataset:
    """The images of the street, with the classes that the model knows."""
    names = zoo.labels.space_of(zoo.catalogue().resolve("yolox_pico").entry.card.labels).names
    boxes = {"image": [1], "label": [0], "box": [[8, 5, 57, 55]]}
    truth = GroundTruth.of(street.truth.image_ids, boxes, label_space=names)
    return Dataset("street", street.images, truth)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As each worker has; bits depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def alone(scenes: Dataset, tmp_path: Path) -> Predictions:
    """What one process sees."""
    made = run(scenes, tmp_path / "alone")
    assert len(made.scores) > 6
    return made


def test_the_file_and_the_bits_are_those_of_one_process(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    cluster = InProcessCluster()
    made = run(scenes, tmp_path / "many", cluster=cluster)
    assert same(made, alone)
    assert made.path is not None
    assert alone.path is not None
    assert made.path.name == alone.path.name
    passing = {"started", "finished", "seconds"}
    assert {key: value for key, value in made.provenance.items() if key not in passing} == {
        key: value for key, value in alone.provenance.items() if key not in passing
    }
    assert len(cluster.ray.ended) == len(cluster.ray.started) == 2


def test_a_run_that_is_there_starts_no_worker(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    cluster = InProcessCluster()
    again = run(scenes, tmp_path / "alone", cluster=cluster)
    assert same(again, alone)
    assert cluster.ray.started == []


def test_workers_that_end_cost_their_shard_and_no_bit(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    deaths: Counter[str] = Counter()

    def dies(step: str, arguments: Any) -> bool:
        what = arguments[1][0].name if step == "detect" else step
        deaths[what] += 1
        return step != "about" and deaths[what] < 2

    cluster = InProcessCluster(dies=dies)
    assert same(run(scenes, tmp_path / "many", cluster=cluster), alone)
    assert len(cluster.ray.started) > 4


def test_images_that_end_every_worker_are_named_and_the_others_are_kept(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    bad = scenes.images[2].path.name

    def dies(step: str, arguments: Any) -> bool:
        return step == "detect" and any(image.name.endswith(bad) for image in arguments[1])

    with pytest.raises(ClusterError, match=f"2 images: .*{bad}") as raised:
        run(scenes, tmp_path / "many", cluster=InProcessCluster(dies=dies))
    assert f"{MAX_DEATHS} workers ended over it: The actor died" in raised.value.case
    cluster = InProcessCluster()
    assert same(run(scenes, tmp_path / "many", cluster=cluster), alone)
    assert len(cluster.ray.started) == 2


def test_a_worker_that_never_loads_the_model_is_an_error(scenes: Dataset, tmp_path: Path) -> None:
    cluster = InProcessCluster(dies=lambda step, _: step == "prepare")
    with pytest.raises(ClusterError, match=r"3 workers ended .* before the model was loaded"):
        run(scenes, tmp_path, cluster=cluster)
    assert len(cluster.ray.ended) >= len(cluster.ray.started)


def test_what_was_found_before_an_interrupt_stays_and_goes_on_with_the_same_batches(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    def interrupted(step: str, arguments: Any) -> bool:
        if step == "detect" and any(image.name.endswith("5.png") for image in arguments[1]):
            raise KeyboardInterrupt
        return False

    cluster = InProcessCluster(dies=interrupted)
    with pytest.raises(KeyboardInterrupt) as raised:
        run(scenes, tmp_path / "many", cluster=cluster)
    assert "images of 6 are kept" in raised.value.__notes__[0]
    assert len(cluster.ray.ended) == len(cluster.ray.started)
    assert same(run(scenes, tmp_path / "many", cluster=InProcessCluster()), alone)


def test_a_batch_that_is_half_done_is_run_whole(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    """One process may have been interrupted within it."""
    bad = scenes.images[3].path
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-40])
    broken = InProcessCluster(workers=1)
    with pytest.raises(ImageError, match=r"3\.png"):
        run(scenes, tmp_path / "many", cluster=broken)
    bad.write_bytes(whole)
    assert same(run(scenes, tmp_path / "many", cluster=InProcessCluster()), alone)


def test_machines_without_the_files_are_sent_them(
    scenes: Dataset, tmp_path: Path, alone: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.cluster import files, worker

    monkeypatch.setattr(files, "is_same", lambda file: False)
    monkeypatch.setattr(worker, "source_of", lambda image: image.content if image.content else None)
    cluster = InProcessCluster(local=False)
    assert same(run(scenes, tmp_path / "many", cluster=cluster), alone)


def test_an_image_in_memory_is_sent(scenes: Dataset, tmp_path: Path) -> None:
    content = scenes.images[0].path.read_bytes()
    boxes = {"image": [1], "label": [0], "box": [[8, 5, 57, 55]]}
    truth = GroundTruth.of([1, 2], boxes, label_space=["circle"])
    images = (
        ImageRecord(1, Path("a.png"), 120, 80, content=content),
        ImageRecord(2, Path("b.png"), content=lambda: content),
    )
    dataset = Dataset("memory", images, truth)
    alone = run(dataset, tmp_path / "alone")
    assert len(alone.scores)
    for local in (True, False):
        cluster = InProcessCluster(local=local)
        assert same(run(dataset, tmp_path / str(local), cluster=cluster), alone)


def test_a_detector_at_hand_is_sent_with_its_weights(
    scenes: Dataset, tmp_path: Path, alone: Predictions
) -> None:
    model = zoo.load("yolox_pico")
    made = predict(model, data=scenes, protocol=PROTOCOL, cluster=InProcessCluster())
    assert same(made, alone)


def test_a_machine_with_other_code_is_named(
    scenes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.evaluate.predictions import model_identity

    real = model_identity.code.of_choice
    calls: list[str] = []

    def other(choice: Any) -> str:
        calls.append(real(choice))
        return calls[0] if len(calls) == 1 else "f" * 64

    monkeypatch.setattr(model_identity.code, "of_choice", other)
    with pytest.raises(ClusterError, match="fingerprint is ffffffffffff"):
        run(scenes, tmp_path, cluster=InProcessCluster())


def test_an_engine_at_hand_can_t_be_sent(scenes: Dataset, tmp_path: Path) -> None:
    from zoo.evaluate.predictions.model_identity import model_identity
    from zoo.evaluate.predictions.on_cluster import sent_model

    identity = model_identity(
        "yolox_pico", weights=True, labels=None, classes=(), device=None, progress=False
    )
    at_hand = dataclasses.replace(identity, resolved=None, engine="onnxruntime")
    with pytest.raises(UsageError, match="engine at hand"):
        sent_model(at_hand)


def test_what_is_no_cluster_is_said(scenes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="That is an int, no cluster"):
        run(scenes, tmp_path, cluster=3)
