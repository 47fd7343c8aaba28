"""A field of a dataclass whose value may be computed when it is first read."""

from dataclasses import dataclass, fields

import msgspec
import pytest

from zoo.evaluate.deferred import deferred, deferred_field, is_deferred, replace_lazily


@dataclass(frozen=True, kw_only=True)
class Square:
    """A square whose area may be deferred."""

    area: int = deferred_field()
    side: int


def test_a_deferred_field_is_computed_once_and_when_it_is_read() -> None:
    reads: list[int] = []

    def area() -> int:
        reads.append(4)
        return 4

    square = Square(area=deferred(area), side=2)
    assert reads == []
    assert (square.area, square.area) == (4, 4)
    assert reads == [4]


def test_a_field_takes_a_value_as_well_and_has_no_default() -> None:
    assert Square(area=9, side=3) == Square(area=deferred(lambda: 9), side=3)
    assert [field.name for field in fields(Square)] == ["area", "side"]
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'area'"):
        Square(side=3)


def test_a_deferred_field_travels_as_json() -> None:
    text = msgspec.json.encode(Square(area=deferred(lambda: 9), side=3))
    assert msgspec.json.decode(text, type=Square) == Square(area=9, side=3)
    with pytest.raises(msgspec.ValidationError, match="missing required field `area`"):
        msgspec.json.decode(b'{"side": 3}', type=Square)


def test_a_copy_with_another_field_leaves_deferred_ones_deferred() -> None:
    square = replace_lazily(Square(area=deferred(lambda: 9), side=2), side=3)
    assert is_deferred(square, "area")
    assert square == Square(area=9, side=3)
    assert not is_deferred(square, "area")
    assert replace_lazily(square, area=10) == Square(area=10, side=3)
