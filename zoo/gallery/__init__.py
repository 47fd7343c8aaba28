"""Pages to look at: images with their boxes, filtered by class, score and outcome; one HTML file
that opens from a disk."""

from zoo.gallery.collect import Collection as Collection
from zoo.gallery.collect import save as save
from zoo.gallery.shown import Gallery as Gallery
from zoo.gallery.shown import ShownImage as ShownImage
from zoo.gallery.write import Written as Written
from zoo.gallery.write import writable_page as writable_page
from zoo.gallery.write import write as write
