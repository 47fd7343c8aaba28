"""Preprocesses run in a process that has no network."""

import os
import pickle

import pytest
import torch

from zoo.testing import ConformanceError
from zoo.testing.conformance.images import scene
from zoo.testing.conformance.other_process import preprocess_elsewhere
from zoo.testing.toy import Stretch


class Ending:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (3,)


def test_the_batch_is_that_of_this_process() -> None:
    here = Stretch()([scene(), scene(seed=1)])
    there = preprocess_elsewhere(pickle.dumps(Stretch()), [scene(), scene(seed=1)])
    assert torch.equal(here.pixels, there.pixels)
    assert here.transforms == there.transforms


def test_what_it_raises_there_is_said_and_the_process_goes_on() -> None:
    with pytest.raises(ConformanceError, match="its preprocess raised TypeError"):
        preprocess_elsewhere(pickle.dumps("no preprocess"), [scene()])
    assert len(preprocess_elsewhere(pickle.dumps(Stretch()), [scene()])) == 1


def test_a_process_that_ends_is_said_and_another_one_serves() -> None:
    with pytest.raises(ConformanceError, match="ended the process that it ran in"):
        preprocess_elsewhere(pickle.dumps(Ending()), [scene()])
    assert len(preprocess_elsewhere(pickle.dumps(Stretch()), [scene()])) == 1
