"""Detections: what one detector saw in one picture, and what can be done with it."""

from zoo.detections.detections import Detections as Detections
from zoo.detections.merge import merge as merge
