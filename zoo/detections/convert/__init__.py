"""Detections in other people's formats: one module a format, `write` and, where it is read as well,
`read`."""
