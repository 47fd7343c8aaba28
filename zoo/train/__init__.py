"""Training: a recipe, one loop for every detector with a loss, and a folder with the result.

The module can be called: `zoo.train(model, data=…)` is `zoo.train.train.train`.
"""

from zoo.callable_module import make_callable as _make_callable
from zoo.train.recipe import Recipe as Recipe
from zoo.train.result import Result as Result
from zoo.train.show import show as show
from zoo.train.train import train as _train

_make_callable(__name__, _train)
