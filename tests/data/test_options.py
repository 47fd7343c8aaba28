"""Options of a format: text as the types that a struct or dataclass declares."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from zoo.data.options import convert_options
from zoo.errors import DataError

ASKED = "The data set 'x' can't be read."


class Struct(msgspec.Struct):
    folder: Path | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1
    kind: Literal["box", "mask"] | None = None
    count: int = 0


@dataclass
class Plain:
    name: str = "none"

    def __post_init__(self) -> None:
        if self.name == "bad":
            raise ValueError("A name is never 'bad'")


def test_text_becomes_the_declared_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of/somebody")
    given = {"folder": "~/images", "share": "5e-1", "kind": "mask", "count": "-3"}
    assert convert_options(Struct, given, ASKED, "x") == Struct(
        Path("/home/of/somebody/images"), 0.5, "mask", -3
    )
    assert convert_options(Struct, {}, ASKED, "x") == Struct()
    assert convert_options(Plain, {"name": "null"}, ASKED, "x") == Plain("null")
    assert convert_options(None, {}, ASKED, "x") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"share": "2"}, "'share' is a number, above 0, at most 1, not '2'"),
        ({"share": "half"}, "'share' is a number, above 0, at most 1, not 'half'"),
        ({"kind": "masks"}, r"'kind' is 'box' or 'mask', not 'masks'(.|\n)*Did you mean 'mask'"),
        ({"count": "1.5"}, r"'count' is a whole number, not '1\.5'"),
        ({"cout": "1"}, r"no option 'cout'; it has folder \(a path\)(.|\n)*Did you mean 'count'"),
    ],
)
def test_an_option_that_can_not_be_is_named_with_its_type(given: dict, message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        convert_options(Struct, given, ASKED, "x")
    assert str(raised.value).startswith(ASKED)


def test_what_a_dataclass_checks_by_itself_is_said() -> None:
    with pytest.raises(DataError, match="A name is never 'bad'"):
        convert_options(Plain, {"name": "bad"}, ASKED, "x")
