"""Interrupted means nothing lost: a run that is killed and resumed is the run that was never
stopped, bit for bit."""

import multiprocessing
import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from zoo.train.checkpoints import newest
from zoo.train.train import train

STEPS = 24
PROCESSES = multiprocessing.get_context("forkserver")  # one that has imported torch is forked
PROCESSES.set_forkserver_preload(["zoo.train.train"])
RECIPE: dict[str, Any] = {
    "size": [64, 64],
    "steps": STEPS,
    "batch_size": 5,
    "validate_every": 8,
    "accumulate": 2,
    "checkpoint_every": 1,
    "optimizer": {"lr": 0.01},
    "seed": 5,
}


def run(data: str, to: Path) -> None:
    """What a process does: it begins, or goes on."""
    torch.set_num_threads(1)
    train(
        "yolox_nano",
        weights=False,
        data=data,
        validation=data,
        to=to,
        resume=to.exists(),
        device="cpu",
        recipe=RECIPE,
    )


def begin(data: str, to: Path) -> BaseProcess:
    process = PROCESSES.Process(target=run, args=(data, to))
    process.start()
    return process


def state_of(folder: Path) -> dict[str, Tensor]:
    state = newest(folder / "checkpoints")
    assert state is not None
    assert state.progress.step == STEPS
    optimizer = {
        f"{number}.{name}": value
        for number, values in state.optimizer.items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }
    averages = {f"average.{name}": value for name, value in state.average.items()}
    return {**state.model, **averages, **optimizer}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )


@pytest.mark.slow
def test_a_run_killed_at_random_moments_goes_on_bit_for_bit(
    blocks_file: str, tmp_path: Path
) -> None:
    uncut = begin(blocks_file, tmp_path / "whole")
    uncut.join(300)
    assert uncut.exitcode == 0
    whole, cut, kills = tmp_path / "whole", tmp_path / "cut", 0
    draw = random.Random(0)
    while True:
        process = begin(blocks_file, cut)
        deadline = time.monotonic() + 200
        while not list(cut.glob("checkpoints/*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(draw.uniform(0.0, 1.5))
        if kills == 4 or process.exitcode is not None:
            process.join(300)
            assert process.exitcode == 0
            break
        process.kill()
        process.join()
        kills += 1
    assert kills >= 1
    assert equal(state_of(whole), state_of(cut))
    best = [load_file(folder / "model.safetensors") for folder in (whole, cut)]
    assert equal(*best)
    assert not list(cut.rglob("*.draft"))
