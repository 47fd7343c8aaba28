"""Errors: three parts, printable, with an exit code each; `zoo/errors.py` lists them all."""

import pickle
import re

import pytest

from zoo import errors
from zoo.errors import ImageError, UsageError, ZooError, made_of
from zoo.serve.client import ServerError


def every() -> list[type[ZooError]]:
    """Every error there is, subclasses of subclasses too."""
    found = [ZooError]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == "zoo.errors"]


def test_an_error_is_its_three_parts_a_line_each() -> None:
    error = ZooError("It failed.", "For this reason.", "Type this.")
    assert str(error) == "It failed.\nFor this reason.\nType this."
    assert (error.failure, error.case, error.fix) == (
        "It failed.",
        "For this reason.",
        "Type this.",
    )
    assert str(ZooError("It failed.", "", "Type this.")) == "It failed.\nType this."


def test_the_shell_has_advice_of_its_own_where_there_is_some() -> None:
    assert ZooError("A.", "B.", "C.").in_shell == "A.\nB.\nC."
    error = ZooError("A.", "B.", "Write device='cpu'.", fix_cli="Write --device cpu.")
    assert str(error).endswith("Write device='cpu'.")
    assert error.in_shell.endswith("Write --device cpu.")


def test_text_from_outside_starts_no_line_and_no_escape_sequence() -> None:
    error = ZooError("a\nb", "\x1b[31mred", ["one", "two\nthree"])
    assert error.failure == "a b"
    assert "\x1b" not in str(error)
    assert error.fix.splitlines() == ["one", "two three"]


def test_the_module_lists_every_error_with_its_exit_code() -> None:
    listed = dict(re.findall(r"([A-Z]\w+) +(\d+) ", str(errors.__doc__)))
    assert listed == {kind.__name__: str(kind.exit_code) for kind in every()}


def test_a_usage_error_is_a_value_error_and_no_other_is() -> None:
    assert [kind for kind in every() if issubclass(kind, ValueError)] == [UsageError]


def test_an_image_error_names_its_file() -> None:
    error = ImageError("A.", "B.", "C.", file="a.png")
    assert error.file == "a.png"
    assert ImageError("A.", "B.", "C.").file is None


@pytest.mark.parametrize("kind", every(), ids=lambda kind: kind.__name__)
def test_errors_cross_processes(kind: type[ZooError]) -> None:
    again = pickle.loads(pickle.dumps(kind("A.", "B.", "C.", fix_cli="D.")))
    assert (str(again), again.in_shell) == ("A.\nB.\nC.", "A.\nB.\nD.")


def test_what_else_an_error_holds_crosses_processes() -> None:
    image = pickle.loads(pickle.dumps(ImageError("A.", "B.", "C.", file="a.png")))
    assert image.file == "a.png"
    server = ServerError("A.", "B.", "C.", status=503, request_id="7")
    server.add_note("Once more.")
    again = pickle.loads(pickle.dumps(server))
    assert (again.args, again.status, again.request_id) == (server.args, 503, "7")
    assert again.__notes__ == ["Once more."]


def test_causes_and_contexts_are_each_given_once() -> None:
    first, second = ValueError("first"), KeyError("second")
    second.__cause__ = first
    first.__context__ = second  # in a circle
    assert list(made_of(second)) == [second, first]
    assert list(made_of(None)) == []
