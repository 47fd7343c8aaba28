"""What a predictor may have besides its contract is read in one place."""

from __future__ import annotations

from dataclasses import fields

import torch

from zoo.contract import OptionalMembers
from zoo.engines.engine import Engine
from zoo.inference.runner import optional_members
from zoo.testing import Toy


class Bare:
    """A predictor with none of them."""


class Hasty(Bare):
    calls_at_once = 3

    def auto_batch(self, height: int, width: int) -> int:
        return height // width


def test_a_predictor_without_them_has_their_defaults() -> None:
    bare = optional_members(Bare())  # type: ignore[arg-type]  # nothing else of it is read
    assert bare == OptionalMembers()
    assert bare.calls_at_once == 1
    assert bare.release is None


def test_those_that_it_has_are_taken() -> None:
    hasty = optional_members(Hasty())  # type: ignore[arg-type]  # as above
    assert hasty.calls_at_once == 3
    assert hasty.auto_batch is not None
    assert hasty.auto_batch(4, 2) == 2
    assert hasty.engine is None


def test_a_detector_of_the_zoo_prefers_no_batch_and_has_no_engine() -> None:
    with torch.device("meta"):
        toy = optional_members(Toy(["a"]))
    assert toy.auto_batch is not None
    assert toy.auto_batch(640, 640) is None
    assert (toy.engine, toy.version, toy.facts, toy.network) == (None, None, None, None)


def test_every_one_is_spelled_as_engines_spell_it() -> None:
    spelled = {*dir(Engine), *Engine.__init__.__code__.co_names}
    assert {field.name for field in fields(OptionalMembers)} <= spelled
