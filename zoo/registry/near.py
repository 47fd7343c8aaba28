"""Did you mean …?: the words for a mistyped name, which label spaces need as well and so have a floor below."""

from zoo.labels.near import choice_of as choice_of
from zoo.labels.near import near as near
