"""Pascal VOC: a folder with an XML file per image, read and written."""
