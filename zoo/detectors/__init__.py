"""Detectors: the one interface, loading by name, and detect()."""

from zoo.detectors.batch import Batch as Batch
from zoo.detectors.batch import Place as Place
from zoo.detectors.batch import Target as Target
from zoo.detectors.detector import Detector as Detector
from zoo.detectors.load import load as load
from zoo.detectors.protocol import Protocol as Protocol
