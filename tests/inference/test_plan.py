"""A plan has the batches that a stream runs, and a stream runs the batches of a plan."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.contract.protocol import Protocol, Thresholds
from zoo.detections import Detections
from zoo.inference.batch_limit import BatchLimit
from zoo.inference.detect import stream
from zoo.inference.plan import PlannedWindow, plan_batches
from zoo.labels import LabelSpace

CPU = torch.device("cpu")
SIZES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=150)


class Recorder:
    """A predictor that sees nothing, and remembers the sizes of each batch."""

    name = "recorder"
    label_space = LabelSpace("one", ("thing",))
    defaults = Thresholds(score=0.1, iou=0.5, max_boxes=10)
    device = CPU

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, int]]] = []

    def input_size(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002
        """Images of similar height share a batch."""
        return 32 * (1 + height // 10), 32

    def predict(
        self,
        images: Sequence[Tensor],
        thresholds: Thresholds,  # noqa: ARG002
    ) -> list[Detections]:
        """Nothing in each."""
        self.batches.append([(image.shape[1], image.shape[2]) for image in images])
        return [Detections.empty(self.label_space) for _ in images]


def images_of(sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    return [torch.zeros((3, *size), dtype=torch.uint8) for size in sizes]


@given(sizes=SIZES, batch_size=st.sampled_from([1, 2, 5, 64, "auto"]))
def test_a_plan_has_the_batches_that_a_stream_runs(
    sizes: list[tuple[int, int]], batch_size: int
) -> None:
    recorder = Recorder()
    list(stream(recorder, images_of(sizes), protocol=Protocol(), batch_size=batch_size))
    plan = list(plan_batches(sizes, recorder.input_size, BatchLimit(batch_size, CPU)))
    assert [[sizes[position] for position in batch] for batch in plan] == recorder.batches
    assert sorted(position for batch in plan for position in batch) == list(range(len(sizes)))


@given(sizes=SIZES, batch_size=st.sampled_from([1, 3, "auto"]))
def test_a_stream_runs_the_batches_of_a_plan(sizes: list[tuple[int, int]], batch_size: int) -> None:
    recorder = Recorder()
    limit = BatchLimit(batch_size, CPU)
    plan = list(plan_batches(sizes, recorder.input_size, limit))
    chosen = plan[::2]
    wanted = [[sizes[position] for position in batch] for batch in chosen]
    if not chosen:
        return
    window = PlannedWindow([len(batch) for batch in chosen], limit)
    images = images_of([size for batch in wanted for size in batch])
    answers = list(stream(recorder, images, protocol=Protocol(), window=window))
    assert recorder.batches == wanted
    assert len(answers) == len(images)


def test_images_whose_input_size_is_another_after_all_are_run_apart() -> None:
    recorder = Recorder()
    window = PlannedWindow([3, 1], BatchLimit(4, CPU))
    images = images_of([(5, 5), (35, 5), (5, 6), (5, 7)])
    answers = list(stream(recorder, images, protocol=Protocol(), window=window))
    assert recorder.batches == [[(5, 5), (5, 6)], [(35, 5)], [(5, 7)]]
    assert len(answers) == 4


@pytest.mark.parametrize(("most", "batches"), [(10**9, [4]), (3000, [1, 1, 1, 1])])
def test_images_that_are_large_together_wait_for_fewer(most: int, batches: list[int]) -> None:
    sizes = [(40, 40)] * 4
    made = plan_batches(sizes, Recorder().input_size, BatchLimit(64, CPU), most_bytes=most)
    assert [len(batch) for batch in made] == batches
