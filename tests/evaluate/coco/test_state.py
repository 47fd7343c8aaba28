"""The bytes of an evaluator, broken in every way: an error that says so, never a wrong number or a
crash."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load

from zoo.errors import DataError
from zoo.evaluate import Evaluator, GroundTruth
from zoo.evaluate.coco.state import with_fingerprint


@pytest.fixture(scope="module")
def truth() -> GroundTruth:
    box = [[0, 0, 10, 10], [20, 0, 40, 10], [0, 0, 10, 12]]
    return GroundTruth.of(
        [1, 2, 3], {"image": [1, 1, 3], "label": [0, 1, 1], "box": box}, label_space=["cat", "dog"]
    )


@pytest.fixture(scope="module")
def state(truth: GroundTruth) -> bytes:
    evaluator = Evaluator(truth)
    found = {
        "boxes": np.array([[0.0, 0, 10, 10], [0, 0, 10, 11]]),
        "scores": np.array([0.9, 0.5]),
        "labels": np.array([0, 1]),
    }
    evaluator.update([1, 3], [found, found])
    return evaluator.state()


@settings(max_examples=300)
@given(data=st.data())
def test_bytes_that_were_changed_or_lost_are_refused(truth, state, data) -> None:
    broken = bytearray(state)
    for _ in range(data.draw(st.integers(0, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    broken = broken[
        : data.draw(st.sampled_from([len(broken), data.draw(st.integers(0, len(broken)))]))
    ]
    if broken != state:
        with pytest.raises(DataError):
            Evaluator.from_state(bytes(broken), truth)


def test_a_single_flipped_bit_anywhere_is_refused(truth, state) -> None:
    for place in range(len(state)):
        with pytest.raises(DataError, match="from bytes"):
            Evaluator.from_state(
                state[:place] + bytes([state[place] ^ 1 << place % 8]) + state[place + 1 :], truth
            )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("labels", np.array([0, 9, 0, 1], np.uint16)),
        ("images", np.array([0, 7], np.int32)),
        ("images", np.array([2, 0], np.int32)),
        ("starts", np.array([0, 3, 2], np.int64)),
        ("starts", np.array([0, 2, 9], np.int64)),
        ("hits", np.array([0, 99], np.int64)),
        ("boxes", np.full((4, 2), 17, np.int32)),
        ("scores", np.full(4, np.nan)),
        ("ranks", np.zeros(3, np.uint16)),
        ("correct", np.zeros((3, 9), np.uint16)),
        ("outside", np.zeros(4, np.int64)),
    ],
)
def test_a_record_that_points_elsewhere_is_refused_by_its_column(
    truth, state, column, value
) -> None:
    columns: dict[str, Any] = load(state)
    del columns["sha256"]
    columns[column] = value
    with pytest.raises(DataError, match=f"column '{column}'"):
        Evaluator.from_state(with_fingerprint(columns), truth)


def test_the_state_of_other_data_is_refused(truth, state) -> None:
    other = GroundTruth.of(
        [1, 2, 3], {"image": [1], "label": [0], "box": [[0, 0, 10, 10]]}, label_space=["cat", "dog"]
    )
    with pytest.raises(DataError, match="of other data"):
        Evaluator.from_state(state, other)


def test_the_state_of_another_version_is_refused(truth, state) -> None:
    columns = load(state)
    header = msgspec.json.decode(columns["header"].tobytes()) | {"version": 99}
    columns["header"] = np.frombuffer(msgspec.json.encode(header), np.uint8)
    with pytest.raises(DataError, match="version 99"):
        Evaluator.from_state(with_fingerprint(columns), truth)
