"""Detectors: the one interface, loading by name, composing from parts, and detect()."""

from zoo.detectors.compose import compose as compose
from zoo.detectors.composed import Composed as Composed
from zoo.detectors.composed import describe as describe
from zoo.detectors.detector import Detector as Detector
from zoo.detectors.load import load as load
from zoo.parts.batch import Batch as Batch
from zoo.parts.batch import Place as Place
from zoo.parts.batch import Target as Target
from zoo.parts.protocol import Protocol as Protocol
