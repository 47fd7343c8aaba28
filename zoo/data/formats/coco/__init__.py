"""COCO: `instances.json` and folders of them, read and written."""
