"""Predictions of a model on a data set: made, stored and identified, with their provenance."""
