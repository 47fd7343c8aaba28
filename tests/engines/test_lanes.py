"""Images of a batch side by side: in order, with nothing left running, as they would come alone."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep

import pytest
import torch
from torch import Tensor

import zoo
from zoo.detectors import Detector
from zoo.engines import Exported
from zoo.engines.card import choice_of, request_for
from zoo.engines.lanes import MAX_LANES, Lanes, joined, lanes_for, split
from zoo.environment import cores


class Session:
    """Adds one to what it is given; anchors are the same for every image."""

    version = "1"

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.counts: list[int] = []
        self.meeting: threading.Barrier | None = None

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        if self.meeting:
            self.meeting.wait(20)  # both lanes are in here at once
        self.threads.append(threading.current_thread().name)
        self.counts.append(len(inputs["pixels"]))
        return [inputs["pixels"] + 1, torch.arange(3.0)]


def test_parts_are_computed_at_once_and_come_in_order() -> None:
    session = Session()
    session.meeting = threading.Barrier(2)
    parts = split({"pixels": torch.arange(8.0).reshape(4, 2)}, 1)
    values, anchors = joined(Lanes(2, lambda: session)(parts), [True, False])
    assert values.tolist() == (torch.arange(8.0).reshape(4, 2) + 1).tolist()
    assert anchors.tolist() == [0, 1, 2]
    assert {name.rpartition("_")[0] for name in session.threads} == {"zoo-lane"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zoo-lane")]


def test_the_graph_for_the_lanes_is_started_once_when_it_is_needed() -> None:
    started: list[Session] = []

    def start() -> Session:
        started.append(Session())
        return started[-1]

    lanes = Lanes(2, start)
    assert not started
    for _ in range(2):
        lanes(split({"pixels": torch.zeros(2, 1)}, 1))
    assert len(started) == 1


def test_callers_that_are_the_first_together_start_the_graph_once() -> None:
    started: list[Session] = []
    arrived = threading.Barrier(4)

    def start() -> Session:
        sleep(0.05)  # the others ask meanwhile
        started.append(Session())
        return started[-1]

    lanes = Lanes(2, start)

    def call(_: int) -> None:
        arrived.wait(20)
        lanes(split({"pixels": torch.zeros(2, 1)}, 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(4)))
    assert len(started) == 1


def test_an_error_in_a_lane_is_raised() -> None:
    def fail(_: object) -> Sequence[Tensor]:
        raise RuntimeError("no")

    fail.version = "1"  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="no"):
        Lanes(2, lambda: fail)([{"pixels": torch.zeros(1)}] * 3)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("count", "parts", "worth"), [(1, 8, False), (2, 1, False), (2, 2, True), (16, 8, False)]
)
def test_few_parts_are_done_by_all_threads_one_after_the_other(
    count: int, parts: int, worth: bool
) -> None:
    assert Lanes(count, Session).worth(parts) is worth


def test_there_is_a_lane_a_thread(pico: Detector) -> None:
    request = request_for(pico, choice_of(pico), "onnxruntime")
    assert lanes_for(replace(request, threads=3)) == 3
    assert lanes_for(replace(request, threads=400)) == MAX_LANES
    assert lanes_for(request) == min(MAX_LANES, cores(), torch.get_num_threads())
    assert lanes_for(replace(request, device=torch.device("cuda"))) == 0


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_detections_are_those_of_the_image_alone(
    pico_onnx: Exported, scene: Tensor, name: str
) -> None:
    pytest.importorskip(name)
    engine = zoo.load(f"file:{pico_onnx.path}", engine=f"{name},threads=2")
    assert engine.auto_batch(320, 320) == 8
    assert engine.auto_batch(8192, 8192) == 1
    assert engine.calls_at_once == 2
    images = [scene, scene.flip(1), scene.flip(2), scene.flip(1, 2), scene]
    with ThreadPoolExecutor(2) as pool:  # as the threads of a server do
        calls = list(pool.map(lambda _: engine.detect(images, score=0.05), range(4)))
    for one, *others in zip(*calls, strict=True):
        assert all(torch.allclose(one.boxes, other.boxes, atol=0.01) for other in others)
    for image, together in zip(images, calls[0], strict=True):
        alone = engine.detect(image, score=0.05)
        assert torch.equal(together.labels, alone.labels)
        assert torch.allclose(together.boxes, alone.boxes, atol=0.01)
        assert torch.allclose(together.scores, alone.scores, atol=1e-5)
