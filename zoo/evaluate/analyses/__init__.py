"""Analyses beyond AP, read off the matches at IoU .5: calibration, confusion, LRP, TIDE."""
