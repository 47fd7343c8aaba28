"""Evaluation: the same exact numbers for every model, from flat arrays or by name; importing it
imports no torch.

The module can be called: `zoo.evaluate(model, data=…)` is `zoo.evaluate.evaluate.evaluate`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from zoo.callable_module import make_callable as _make_callable
from zoo.data.ground_truth import GroundTruth as GroundTruth
from zoo.evaluate.compare import Comparison as Comparison
from zoo.evaluate.compare import compare as compare
from zoo.evaluate.evaluate import DataWarning as DataWarning
from zoo.evaluate.evaluate import evaluate as _evaluate
from zoo.evaluate.evaluator import Evaluator as Evaluator
from zoo.evaluate.policy import EdgeCasePolicy as EdgeCasePolicy
from zoo.evaluate.predictions.predictions import Predictions as Predictions
from zoo.evaluate.report import Report as Report
from zoo.evaluate.settings import Area as Area
from zoo.evaluate.settings import CocoSettings as CocoSettings

if TYPE_CHECKING:
    from zoo.evaluate import voc as voc
    from zoo.evaluate.predictions.predict import predict as predict

_make_callable(__name__, _evaluate)


def __getattr__(name: str) -> object:
    """Imports on first use what measuring a file does not need: running models, Pascal VOC's AP."""
    if name == "voc":
        return import_module("zoo.evaluate.voc")
    if name == "predict":
        return import_module("zoo.evaluate.predictions.predict").predict
    raise AttributeError(f"module 'zoo.evaluate' has no attribute {name!r}")
