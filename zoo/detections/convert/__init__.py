"""Converts detections to and from other formats: one module per format, `write` and `read`."""

from zoo.detections.convert import coco as coco
from zoo.detections.convert import json as json
from zoo.detections.convert import pandas as pandas
from zoo.detections.convert import supervision as supervision
