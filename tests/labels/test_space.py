import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import LabelError
from zoo.labels import LabelSpace

NAMES = st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=20, unique=True)


@given(NAMES)
def test_a_custom_space_numbers_its_names_in_order(names: list[str]) -> None:
    space = LabelSpace.custom(names)
    assert space.names == tuple(names)
    assert space.ids == space.channels == space.channel_of_label == tuple(range(len(names)))
    assert [space.label(name) for name in names] == list(range(len(names)))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no class at all"),
        (["helmet", ""], "Class 1 is ''"),
        (["helmet", "  "], "no name"),
        (["helmet", 3], "Class 1 is 3"),
        (["vest", "helmet", "vest"], "twice: vest"),
        ("helmet", r"\['helmet'\]"),
    ],
)
def test_a_list_that_is_no_label_space_is_refused(names: list[str], said: str) -> None:
    with pytest.raises(LabelError, match=said):
        LabelSpace.custom(names)


@pytest.mark.parametrize("ids", [(1, 1), (1,), (1, 2, 3)])
def test_every_name_has_one_id(ids: tuple[int, ...]) -> None:
    with pytest.raises(LabelError, match="distinct ids"):
        LabelSpace("pair", ("a", "b"), ids)


@pytest.mark.parametrize("channels", [(0,), (0, 0, 1), (0, 2), (0, 1, -2)])
def test_every_label_has_one_channel(channels: tuple[int, ...]) -> None:
    with pytest.raises(LabelError, match="exactly once"):
        LabelSpace("pair", ("a", "b"), channels=channels)


def test_channels_may_come_in_any_order_with_gaps() -> None:
    assert LabelSpace("pair", ("a", "b"), channels=(-1, 1, -1, 0)).channel_of_label == (3, 1)


def test_a_mistyped_class_gets_the_near_names() -> None:
    with pytest.raises(LabelError, match="Did you mean 'person'"):
        LabelSpace.custom(["person", "car"]).label("Persn")


def test_a_class_like_no_other_gets_the_list() -> None:
    with pytest.raises(LabelError, match=r"Its classes are a0, .* and 2 more"):
        LabelSpace.custom([f"a{number}" for number in range(12)]).label("zebra")


def test_the_repr_is_short() -> None:
    assert repr(LabelSpace.custom(["a", "b", "c", "d", "e"])) == "LabelSpace(custom: a, b, c, … 2 more)"
    assert repr(LabelSpace.custom(["a"])) == "LabelSpace(custom: a)"
