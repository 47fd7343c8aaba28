from collections.abc import Callable
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import LabelError
from zoo.labels import LabelSpace

# Words of any script, but no control characters.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip)


def shown(name: str) -> str:
    return " ".join(normalize("NFC", name).split())


NAMES = st.lists(TEXT, min_size=1, max_size=20, unique_by=shown)


@given(NAMES)
def test_a_custom_space_numbers_its_names_in_order(names: list[str]) -> None:
    label_space = LabelSpace.custom(names)
    assert label_space.names == tuple(map(shown, names))
    assert (
        label_space.ids
        == label_space.channels
        == label_space.channel_of_label
        == tuple(range(len(names)))
    )
    assert [label_space.label(name) for name in names] == list(range(len(names)))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no class at all"),
        (["helmet", ""], "Class 1 is ''"),
        (["helmet", "  "], "not a name"),
        (["helmet", 3], "Class 1 is 3"),
        (["vest", "helmet", "vest"], "twice: vest"),
        (["vest", "helmet", " vest\n"], "twice: vest"),
        (["helmet", "ve\0st"], "Class 1 is 've.x00st'"),
        ("helmet", r"\['helmet'\]"),
    ],
)
def test_a_list_that_is_no_label_space_is_refused(names: list[str], said: str) -> None:
    with pytest.raises(LabelError, match=said):
        LabelSpace.custom(names)


def test_blanks_and_line_breaks_in_a_name_are_tidied_by_one_rule() -> None:
    label_space = LabelSpace.custom([" hard hat\n", "traffic\n \tlight"])
    assert label_space.names == ("hard hat", "traffic light")
    assert (label_space.label("hard hat "), label_space.label("traffic  light")) == (0, 1)


def test_an_accented_letter_is_one_name_however_it_was_typed() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    label_space = LabelSpace.custom([decomposed])
    assert label_space.names == (composed,)
    assert label_space.label(decomposed) == label_space.label(composed) == 0
    with pytest.raises(LabelError, match="twice"):
        LabelSpace.custom([composed, decomposed])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (0, "Label 0 is 'person'"),
        (["person"], "that is a list"),
        (None, "that is None"),
        (7, "Its classes are"),
    ],
)
def test_a_class_that_is_not_asked_for_by_name_is_told_how_to(asked: object, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        LabelSpace.custom(["person", "car"]).label(asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("ids", [(1, 1), (1,), (1, 2, 3)])
def test_every_name_has_one_id(ids: tuple[int, ...]) -> None:
    with pytest.raises(LabelError, match="distinct id"):
        LabelSpace("pair", ("a", "b"), ids)


@pytest.mark.parametrize("channels", [(0,), (0, 0, 1), (0, 2), (0, 1, -2)])
def test_every_label_has_one_channel(channels: tuple[int, ...]) -> None:
    with pytest.raises(LabelError, match="exactly once"):
        LabelSpace("pair", ("a", "b"), channels=channels)


def test_channels_may_come_in_any_order_with_gaps() -> None:
    assert LabelSpace("pair", ("a", "b"), channels=(-1, 1, -1, 0)).channel_of_label == (3, 1)


@pytest.mark.parametrize("make", [list, np.array])
def test_ids_and_channels_may_be_lists_or_arrays(make: Callable[..., Any]) -> None:
    given = LabelSpace("pair", ("a", "b"), make([7, 9]), make([1, 0]))
    assert given == LabelSpace("pair", ("a", "b"), (7, 9), (1, 0))
    assert hash(given) == hash(LabelSpace("pair", ("a", "b"), (7, 9), (1, 0)))


def test_a_mistyped_class_gets_the_near_names() -> None:
    with pytest.raises(LabelError, match="Did you mean 'person'"):
        LabelSpace.custom(["person", "car"]).label("Persn")


def test_a_class_like_no_other_gets_the_list() -> None:
    with pytest.raises(LabelError, match=r"Its classes are a0, .* and 2 more"):
        LabelSpace.custom([f"a{number}" for number in range(12)]).label("zebra")


def test_the_repr_is_short() -> None:
    assert (
        repr(LabelSpace.custom(["a", "b", "c", "d", "e"]))
        == "LabelSpace(custom: a, b, c, … 2 more)"
    )
    assert repr(LabelSpace.custom(["a"])) == "LabelSpace(custom: a)"
