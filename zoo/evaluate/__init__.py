"""Evaluation: the same exact numbers for every model, from flat arrays; importing it imports no torch."""

from zoo.evaluate.compare import Comparison as Comparison
from zoo.evaluate.compare import compare as compare
from zoo.evaluate.evaluator import Evaluator as Evaluator
from zoo.evaluate.ground_truth import GroundTruth as GroundTruth
from zoo.evaluate.policy import Policy as Policy
from zoo.evaluate.report import Report as Report
from zoo.evaluate.settings import Area as Area
from zoo.evaluate.settings import Settings as Settings
