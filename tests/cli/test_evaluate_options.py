"""What commands on data sets share: one name after another, and the protocol."""

import pytest

from zoo.cli.evaluate_options import ProtocolName, each, protocol_of
from zoo.cli.options import Exif
from zoo.contract import Protocol
from zoo.errors import DataError, ImageError, NameNotFound


def fail(*errors: Exception | None):
    """Work on `0`, `1`, … that raises these in turn."""

    def work(name: str) -> str:
        error = errors[int(name)]
        if error is not None:
            raise error
        return f"done {name}"

    return work


DATA, IMAGE = DataError("A.", "B.", "C."), ImageError("A.", "B.", "C.")


def test_each_name_is_done_once() -> None:
    assert each(["0", "1", "0"], fail(None, None)) == ({"0": "done 0", "1": "done 1"}, 0)


def test_what_fails_is_said_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert each(["0", "1"], fail(DATA, None)) == ({"1": "done 1"}, 1)
    error = capsys.readouterr().err
    assert "0" in error
    assert "A." in error


@pytest.mark.parametrize(("errors", "code"), [((DATA, DATA), 10), ((DATA, IMAGE), 1)])
def test_where_all_fail_alike_the_code_is_theirs(errors: tuple[Exception, ...], code: int) -> None:
    assert each(["0", "1"], fail(*errors)) == ({}, code)


def test_the_error_of_a_lone_name_is_raised() -> None:
    with pytest.raises(NameNotFound):
        each(["0"], fail(NameNotFound("A.", "B.", "C.")))


def test_a_protocol_is_a_name_or_one_with_exif() -> None:
    assert protocol_of(None, None) is None
    assert protocol_of(ProtocolName.native, None) == "native"
    made = protocol_of(ProtocolName.native, Exif.ignore)
    assert isinstance(made, Protocol)
    assert (made.exif, made.score) == ("ignore", Protocol.named("native").score)
    default = protocol_of(None, Exif.apply)
    assert isinstance(default, Protocol)
    assert default.score == Protocol.named("uniform").score
