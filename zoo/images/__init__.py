"""Reads images of every form (path, URL, bytes, PIL, array, tensor) as uint8 RGB tensors."""

from zoo.images.decode import Limits as Limits
from zoo.images.read import Pixels as Pixels
from zoo.images.read import Source as Source
from zoo.images.read import Sources as Sources
from zoo.images.read import expand as expand
from zoo.images.read import is_many as is_many
from zoo.images.read import read as read
from zoo.images.rgb import Exif as Exif
from zoo.images.rgb import Image as Image
from zoo.images.rgb import ImageWarning as ImageWarning
from zoo.images.rgb import Loss as Loss
