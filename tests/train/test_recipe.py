"""A recipe is frozen data, and says how long the run is."""

import pytest

from zoo.train.recipe import Recipe


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Recipe().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("recipe", "images", "steps"),
    [
        (Recipe(steps=7), 100, 7),
        (Recipe(epochs=1, batch_size=8), 100, 13),
        (Recipe(epochs=0.5, batch_size=8), 100, 7),
        (Recipe(epochs=2, batch_size=8), 1, 1),
    ],
)
def test_epochs_are_counted_in_steps(recipe: Recipe, images: int, steps: int) -> None:
    assert recipe.total_steps(images) == steps
