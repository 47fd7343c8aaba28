"""Two files are timed in turn, and only a clear difference makes one the faster."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from zoo.engines import Engine
from zoo.engines.latency import compare_speed, speed_of


def test_a_clear_difference_is_one() -> None:
    noise = np.random.default_rng(0).uniform(0.9, 1.1, (2, 40)) * 0.02
    speed = speed_of(noise[0].tolist(), (0.7 * noise[1]).tolist())
    assert speed.faster
    assert speed.low < speed.ratio < speed.high < 0.8
    assert "ms of one core per image, and 20" in str(speed)


def test_the_same_is_not_faster() -> None:
    noise = np.random.default_rng(1).uniform(0.9, 1.1, (2, 40))
    assert not speed_of(noise[0].tolist(), noise[1].tolist()).faster


def test_a_gain_that_the_next_run_may_not_show_is_none() -> None:
    before = np.linspace(1, 1.01, 40)
    speed = speed_of(before.tolist(), (0.96 * before).tolist())
    assert speed.high < 0.97
    assert not speed.faster


def test_load_that_meets_both_changes_nothing() -> None:
    load = np.linspace(1, 9, 40)
    assert speed_of(load.tolist(), (0.9 * load).tolist()).high < 0.91


def test_engines_are_timed_in_turn(engine: Engine, scene: Tensor) -> None:
    speed = compare_speed(engine, engine, engine.preprocess([scene]), rounds=3)
    assert 0 < speed.before < 1000
    assert 0 < speed.low <= speed.ratio <= speed.high
