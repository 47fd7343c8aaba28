"""Detections drawn on pictures."""

from zoo.draw.draw import draw as draw
