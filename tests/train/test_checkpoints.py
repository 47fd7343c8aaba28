"""Checkpoints hold all of a run, are whole or not there, and a damaged one gives way."""

import errno
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo.errors import TrainError
from zoo.train import checkpoints
from zoo.train.checkpoints import (
    State,
    newest,
    optimizer_state,
    restore_optimizer,
    write_state,
)
from zoo.train.training import Progress


def state(step: int) -> State:
    weights = {"a": torch.full((3,), float(step)), "b": torch.tensor(step)}
    optimizer = {0: {"step": torch.tensor(2.0), "momentum_buffer": torch.ones(3)}, 1: {"n": None}}
    return State(
        Progress(step, best=0.25, best_step=1, stale=2, seconds=1.5, numbers={"AP": 0.25}),
        weights,
        {"a": torch.zeros(3)},
        optimizer,
        {"scale": 2.0},
    )


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    write_state(tmp_path, state(7))
    found = newest(tmp_path)
    assert found is not None
    assert found.progress == state(7).progress
    assert torch.equal(found.model["a"], torch.full((3,), 7.0))
    assert found.model["b"].dtype == torch.int64
    assert torch.equal(found.average["a"], torch.zeros(3))
    assert torch.equal(found.optimizer[0]["momentum_buffer"], torch.ones(3))
    assert found.optimizer[1] == {"n": None}
    assert found.scaler == {"scale": 2.0}


def test_two_are_kept_and_the_last_is_taken(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        write_state(tmp_path, state(step))
    assert [path.name[:13] for path in sorted(tmp_path.iterdir())] == [
        "step-00000002",
        "step-00000010",
    ]
    found = newest(tmp_path)
    assert found is not None
    assert found.progress.step == 10


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_one_gives_way_to_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    write_state(tmp_path, state(1))
    last = write_state(tmp_path, state(2))
    assert last is not None
    content = last.read_bytes()
    flipped = content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]
    last.write_bytes({"cut": content[:-9], "flipped": flipped, "empty": b""}[damage])
    with caplog.at_level(logging.WARNING, "zoo"):
        found = newest(tmp_path)
    assert found is not None
    assert found.progress.step == 1
    assert f"{last} is damaged" in caplog.text
    assert "the one before is taken" in caplog.text


def test_if_all_are_damaged_the_run_can_not_be_resumed(tmp_path: Path) -> None:
    path = write_state(tmp_path, state(1))
    assert path is not None
    path.write_bytes(b"no")
    with pytest.raises(TrainError, match=r"All of its checkpoints are damaged: step-00000001-"):
        newest(tmp_path)


def test_without_a_checkpoint_there_is_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "none") is None


def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_state(tmp_path, state(1))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_file", full)
    with caplog.at_level(logging.WARNING, "zoo"):
        assert write_state(tmp_path, state(2)) is None
    assert "No space left on device. The one of step 1 stays. Free some space." in caplog.text
    found = newest(tmp_path)
    assert found is not None
    assert found.progress.step == 1


def test_an_optimizer_goes_on_from_its_state() -> None:
    def run(steps: int, *, broken: bool) -> torch.Tensor:
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
        for step in range(steps):
            if broken and step == 2:
                kept = optimizer_state(optimizer)
                optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
                restore_optimizer(optimizer, kept)
            optimizer.zero_grad()
            layer(torch.ones(3)).square().sum().backward()
            optimizer.step()
        return layer.weight.detach()

    assert torch.equal(run(5, broken=False), run(5, broken=True))
