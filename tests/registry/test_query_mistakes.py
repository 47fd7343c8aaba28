"""Mistakes in an expression are refused, and shown where they are."""

import pytest

from zoo.errors import QueryError
from zoo.registry.query import MAX_QUERY_LETTERS, parse


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (
            "AP > 40 and parms < 30M",
            "            ^^^^^",
            "There is no field 'parms'.\nDid you mean 'params'?",
        ),
        ("xyz = 3", "^^^", "The fields are name, plugin"),
        ("AP > many", "     ^^^^", "A number belongs here."),
        ("classes = person", "          ^^^^^^", "For a class by its name: class = person"),
        ("labels = coco8", "         ^^^^^", "Did you mean 'coco80'"),
        (
            "labels in (coco80, person)",
            "                   ^^^^^^",
            "For models that find a class: class = person",
        ),
        (
            "license = permisive",
            "          ^^^^^^^^^",
            "'permisive' is not an SPDX identifier.\nDid you mean 'permissive'?",
        ),
        ("code_license != apache2", "                ^^^^^^^", "Did you mean 'Apache-2.0'?"),
        (
            "license = 'do what you like'",
            "          ^^^^^^^^^^^^^^^^^^",
            "one of https://spdx.org/licenses",
        ),
        ("name < 3", "     ^", "'name' is text"),
        ("AP ~ 3", "   ^", "'AP' is a number"),
        ("AP >", "    ^", "It ends too early.\nExpected a value"),
        ("", "^", "It ends too early.\nExpected '(', a field or 'not'"),
        ("(AP > 3", "       ^", "Expected ')'"),
        ("AP > 3 )", "       ^", "')' does not belong here."),
        ("AP > 3 AP < 4", "       ^^", "Expected the end, 'and' or 'or'"),
        ("AP == 3", "    ^", "'=' does not belong here."),
        ("AP & 3", "   ^", "The character '&' does not belong here."),
        ("AP in 3", "      ^", "Expected '('"),
        ("AP in ()", "       ^", "Expected a value"),
        ("name = 'open", "       ^", "does not belong here"),
        ("__import__('os')", "          ^", "'(' does not belong here."),
    ],
)
def test_a_mistake_is_shown_with_a_caret_under_it(text: str, place: str, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    shown = str(caught.value).splitlines()
    assert shown[1:3] == [f"  {text}", f"  {place}"]
    assert says in str(caught.value)


def test_a_mistake_far_to_the_right_is_shown_with_its_surroundings() -> None:
    text = "AP > 1 and " * 40 + "oops > 1"
    with pytest.raises(QueryError) as caught:
        parse(text)
    line, caret = str(caught.value).splitlines()[1:3]
    assert len(line) <= 80
    assert line[caret.index("^") :].startswith("oops")


def test_an_endless_expression_is_refused() -> None:
    with pytest.raises(QueryError, match="longer than 1000"):
        parse("x" * (MAX_QUERY_LETTERS + 1))
