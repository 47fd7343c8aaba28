"""Data sets: images, and the boxes that are really in them; importing it imports no torch."""

from zoo.data.box_tables import BoxFormat as BoxFormat
from zoo.data.check import Check as Check
from zoo.data.check import check as check
from zoo.data.convert import Conversion as Conversion
from zoo.data.convert import convert as convert
from zoo.data.dataset import Dataset as Dataset
from zoo.data.finding import Finding as Finding
from zoo.data.ground_truth import GroundTruth as GroundTruth
from zoo.data.image_records import ImageRecord as ImageRecord
from zoo.data.show import Sheets as Sheets
from zoo.data.show import show as show
from zoo.data.source import read as read
from zoo.data.source import write as write
