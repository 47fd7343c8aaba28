"""Training: a recipe, one loop for every detector with a loss, and a folder with the result.

The module can be called: `zoo.train(model, data=…)` is `zoo.train.train.train`.
"""

import sys

from zoo.train.callable import CallableModule as _CallableModule
from zoo.train.recipe import Recipe as Recipe
from zoo.train.result import Result as Result
from zoo.train.show import show as show

sys.modules[__name__].__class__ = _CallableModule
