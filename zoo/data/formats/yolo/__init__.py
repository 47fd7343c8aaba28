"""YOLO: a text file per image with a line per box, and `data.yaml`; read and written."""
