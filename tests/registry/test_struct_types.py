"""Declared types at a place of plain data."""

from zoo.registry.struct_types import fields_at, words_at
from zoo.train.recipe import Recipe

DATA = {"augment": [{"kind": "flip"}, {"kind": "flop"}], "ema": None, "optimizer": {"name": "x"}}


def test_a_struct_that_data_names_by_its_kind_has_its_own_fields() -> None:
    assert fields_at(Recipe, DATA, ("augment", 0)) == ["kind", "probability"]
    assert {"smallest", "share"} < set(fields_at(Recipe, DATA, ("augment", 1)))  # of any kind
    assert fields_at(Recipe, DATA, ("ema",)) == ["decay", "ramp_steps"]
    assert "optimizer" in fields_at(Recipe, DATA, ())
    assert fields_at(Recipe, DATA, ("seed",)) == fields_at(Recipe, DATA, ("nowhere", 3)) == []


def test_words_are_those_of_a_literal_or_of_kinds() -> None:
    assert words_at(Recipe, DATA, ("optimizer", "name")) == ["adamw", "sgd"]
    assert words_at(Recipe, DATA, ("augment", 1, "kind"))[:2] == ["flip", "zoom"]
    assert words_at(Recipe, DATA, ("seed",)) == words_at(Recipe, DATA, ()) == []
