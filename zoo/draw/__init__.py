"""Draws detections on images and saves images; works at every size from thumbnail to poster."""

from zoo.draw.draw import draw as draw
from zoo.draw.image import Image as Image
from zoo.draw.save import save as save
