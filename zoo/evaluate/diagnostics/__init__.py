"""Checks of data, detections and reports: what looks wrong is described, with its likely cause."""
