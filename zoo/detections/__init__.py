"""Detections of one image, and operations on them."""

from zoo.detections.detections import Detections as Detections
from zoo.detections.merge import merge as merge
