"""Reads images of every form (path, URL, bytes, PIL, array, tensor) as uint8 RGB tensors."""

from zoo.images.image import Exif as Exif
from zoo.images.image import Image as Image
from zoo.images.image import ImageWarning as ImageWarning
from zoo.images.image import Limits as Limits
from zoo.images.image import Loss as Loss
from zoo.images.read import Pixels as Pixels
from zoo.images.read import Source as Source
from zoo.images.read import Sources as Sources
from zoo.images.read import expand as expand
from zoo.images.read import is_many as is_many
from zoo.images.read import read as read
