"""Detectors: the one interface, loading by name, and detect()."""

from zoo.parts.batch import Batch as Batch
from zoo.parts.batch import Place as Place
from zoo.parts.batch import Target as Target
from zoo.detectors.detector import Detector as Detector
from zoo.parts.protocol import Protocol as Protocol
