"""Training: a recipe, one loop for every detector with a loss, and a folder as its result."""

from zoo.train.recipe import Recipe as Recipe
