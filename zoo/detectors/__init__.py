"""Detectors: their interface, loading by name, and composing from parts."""

from zoo.contract.batch import Batch as Batch
from zoo.contract.batch import InputTransform as InputTransform
from zoo.contract.protocol import Protocol as Protocol
from zoo.contract.protocol import Thresholds as Thresholds
from zoo.contract.target import Target as Target
from zoo.detectors.compose import compose as compose
from zoo.detectors.composed import Composed as Composed
from zoo.detectors.composed import describe as describe
from zoo.detectors.detector import Detector as Detector
from zoo.detectors.load import load as load
