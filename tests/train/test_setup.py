"""The meeting of the data's classes with the model's."""

import pytest

from zoo.errors import LabelError
from zoo.labels.builtin import space_of
from zoo.train.setup import lookup_of


def test_classes_meet_by_name_in_any_order() -> None:
    lookup = lookup_of(space_of(["dog", "cat", "unicorn"]), space_of(["cat", "person", "dog"]))
    assert lookup.tolist() == [2, 0, -1]


def test_data_without_a_class_of_the_model_is_refused() -> None:
    with pytest.raises(LabelError, match="no class in common"):
        lookup_of(space_of(["unicorn"]), space_of(["cat"]))
