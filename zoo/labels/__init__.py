"""Label spaces, by name; imports neither torch nor numpy."""

from zoo.labels.declared import get as get
from zoo.labels.declared import names as names
from zoo.labels.declared import space_of as space_of
from zoo.labels.meeting import Meeting as Meeting
from zoo.labels.meeting import meet as meet
from zoo.labels.space import LabelSpace as LabelSpace
