"""The recipes of the weights in the wheel can be used as they are."""

from pathlib import Path

import pytest

import zoo
from zoo.train.recipe_file import read_recipe, recipe_of

RECIPES = Path(__file__).parent.parent / "recipes"
NAMES = [path.stem for path in sorted(RECIPES.glob("*.yaml"))]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_of_weights_in_the_wheel_and_trains_a_model_of_the_zoo(name: str) -> None:
    assert zoo.catalogue().resolve(f"shapes/{name}").entry.card.default_weights() is not None
    recipe = recipe_of(read_recipe(RECIPES / f"{name}.yaml"))
    model = zoo.catalogue().resolve(str(recipe.model)).entry.card
    assert model.architecture == zoo.catalogue().resolve(f"shapes/{name}").entry.card.architecture
    assert recipe.steps
