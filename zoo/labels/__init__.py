"""Label spaces, by name; imports neither torch nor numpy."""

from zoo.labels.space import LabelSpace as LabelSpace
