"""Reads images of every form (path, URL, bytes, PIL, array, tensor) as uint8 RGB tensors."""

from zoo.images.image import Exif as Exif
from zoo.images.image import Image as Image
from zoo.images.image import ImageWarning as ImageWarning
from zoo.images.image import Loss as Loss
from zoo.images.limits import Limits as Limits
from zoo.images.read import read as read
from zoo.images.sources import Pixels as Pixels
from zoo.images.sources import Source as Source
from zoo.images.sources import Sources as Sources
from zoo.images.sources import expand as expand
from zoo.images.sources import is_many as is_many
