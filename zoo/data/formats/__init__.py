"""Formats of data sets: readers and writers, one package per format."""
