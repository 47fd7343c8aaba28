"""Label spaces, by name; imports neither torch nor numpy."""

from zoo.labels.builtin import get as get
from zoo.labels.builtin import names as names
from zoo.labels.builtin import space_of as space_of
from zoo.labels.matching import LabelMatch as LabelMatch
from zoo.labels.matching import match_labels as match_labels
from zoo.labels.space import LabelSpace as LabelSpace
