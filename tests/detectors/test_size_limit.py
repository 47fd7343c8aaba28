"""A builder that would build too much is stopped; other threads are not."""

from threading import Thread

import pytest
import torch
from torch import nn

from zoo.detectors import size_limit


def test_a_limit_of_one_build_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_limit, "LAYERS", 3)
    with pytest.raises(size_limit.TooLarge), size_limit.limited():
        nn.Sequential(*(nn.ReLU() for _ in range(4)))
    assert len(nn.Sequential(*(nn.ReLU() for _ in range(9)))) == 9


def test_parameters_are_counted_without_memory_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_limit, "PARAMETERS", 99)
    with (
        torch.device("meta"),
        pytest.raises(size_limit.TooLarge, match="more than 99 parameters"),
        size_limit.limited(),
    ):
        nn.Linear(10, 10)


def test_other_threads_build_what_they_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_limit, "LAYERS", 3)
    built: list[nn.Module] = []
    with size_limit.limited():
        thread = Thread(target=lambda: built.append(nn.Sequential(*[nn.ReLU()] * 9)))
        thread.start()
        thread.join()
    assert len(built) == 1
