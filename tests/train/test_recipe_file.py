"""Recipes go to YAML and back; every mistake names its field."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zoo.errors import UsageError
from zoo.train.recipe import EMA, Color, Flip, Mosaic, MultiScale, Optimizer, Recipe, Schedule
from zoo.train.recipe_file import (
    check_fields,
    difference,
    fields_of,
    merge,
    overrides,
    read_recipe,
    recipe_of,
    to_yaml,
    write_recipe,
)

share = st.floats(0, 1)
recipes = st.builds(
    Recipe,
    model=st.none() | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    labels=st.none() | st.lists(st.text("abc: #", min_size=1), min_size=1).map(tuple),
    seed=st.integers(0, 2**31),
    batch_size=st.integers(1, 512),
    optimizer=st.builds(Optimizer, lr=st.floats(1e-9, 10), momentum=share),
    schedule=st.builds(Schedule, at=st.lists(share).map(tuple), floor=share),
    ema=st.none() | st.builds(EMA, decay=share),
    multi_scale=st.none() | st.just(MultiScale()),
    augment=st.lists(
        st.builds(Flip, probability=share) | st.builds(Mosaic) | st.builds(Color, hue=st.just(0.1))
    ).map(tuple),
)


@given(recipes)
@example(Recipe(model="0e0"))
def test_a_recipe_comes_back_from_yaml_equal(
    tmp_path_factory: pytest.TempPathFactory, recipe: Recipe
) -> None:
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    write_recipe(recipe, path)
    assert recipe_of(read_recipe(path)) == recipe


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("optimizer.lrr=1", "'optimizer.lrr': There is no field 'lrr' here"),
        ("optimizer.lr=fast", "optimizer.lr"),
        ("optimizer.lr=0", "optimizer.lr"),
        ("schedule.kind=cos", "schedule.kind"),
        ("batch_size=0", "batch_size"),
        ("augment=[{kind: flipp}]", "augment"),
        ("seed", "sets no field"),
        ("a..b=1", "sets no field"),
        ("seed=[1", "not YAML"),
    ],
)
def test_an_override_that_can_not_be_names_its_field(setting: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        overrides([setting])
    assert says in str(raised.value)
    assert f"--set {setting}" in str(raised.value)
    assert raised.value.fix


def test_overrides_are_yaml_values_and_meet_in_one_mapping() -> None:
    found = overrides(["optimizer.lr=1e-3", "optimizer.name=sgd", "ema=null", "size=[64, 64]"])
    assert found == {"optimizer": {"lr": 1e-3, "name": "sgd"}, "ema": None, "size": [64, 64]}


def test_a_file_with_a_mistake_names_file_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("model: yolox_nano\noptimizer:\n  lr: 0.1\n  momemtum: 0.9\n")
    with pytest.raises(UsageError) as raised:
        read_recipe(path)
    assert "mine.yaml" in str(raised.value)
    assert "Line 4, field 'optimizer.momemtum'" in str(raised.value)
    assert "Did you mean 'momentum'?" in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml"):
        read_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"steps": 1, "epochs": 2}, "steps: 1 and epochs: 2"),
        ({"batch_size": 2, "accumulate": 3}, "accumulate: 2"),
        ({"multi_scale": {"factors": [2, 1]}}, "'multi_scale.factors': 2 is more than 1"),
        ({"augment": [{"kind": "zoom", "factors": [2, 1]}]}, r"'augment[0].factors'"),
    ],
)
def test_fields_that_can_not_be_together_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as raised:
        recipe_of(fields)
    assert says in str(raised.value)


def test_lists_are_replaced_and_mappings_merged() -> None:
    assert merge({"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"c": [2]}}) == {
        "a": {"b": 1, "c": [2]},
        "d": 1,
    }
    assert merge({"ema": {"decay": 1}}, {"ema": None}) == {"ema": None}


def test_a_difference_names_the_fields() -> None:
    one = Recipe()
    other = msgspec.structs.replace(one, seed=3, optimizer=Optimizer(lr=0.5))
    assert difference(one, other) == ["seed: 0, not 3", "optimizer.lr: 0.001, not 0.5"]
    assert difference(one, one) == []


def test_yaml_has_every_field_in_order() -> None:
    assert list(fields_of(Recipe())) == list(Recipe.__struct_fields__)
    assert to_yaml(Recipe()).startswith("model: null\n")


def test_fields_are_checked_by_themselves() -> None:
    with pytest.raises(UsageError, match=r"^Mine can't be used"):
        check_fields({"sed": 1}, failure="Mine can't be used.")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("szie=[1, 2]", "Did you mean 'size'?"),
        ("augment=[{kind: flop}]", "Did you mean 'flip'? Write 'flip', 'zoom', "),
        ("augment=[{}]", "It is 'flip', 'zoom', "),
        ("augment=[{kind: flip, chance: 1}]", "the fields here are kind, probability."),
        ("precision=float31", "Did you mean 'float32'? Write "),
    ],
)
def test_a_wrong_word_or_field_is_answered_with_those_that_there_are(
    setting: str, message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        overrides([setting])
    assert message in str(raised.value)
    assert "docs/" not in str(raised.value)
    assert "$" not in str(raised.value)
