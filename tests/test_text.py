"""Words that depend on what they stand with."""

import pytest

from zoo.text import is_are, join_first, pluralize, type_name


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 classes are"), (1, "1 class is"), (2, "2 classes are"), (2000, "2,000 classes are")],
)
def test_a_noun_agrees_with_its_number(number: int, said: str) -> None:
    assert f"{pluralize(number, 'class', 'classes')} {is_are(number)}" == said
    assert pluralize(number, "file") == said.rsplit(" ", 2)[0] + (
        " file" if number == 1 else " files"
    )


@pytest.mark.parametrize(
    ("value", "said"), [(3, "an int"), ([], "a list"), (None, "None"), (OSError(), "an OSError")]
)
def test_a_type_has_its_article(value: object, said: str) -> None:
    assert type_name(value) == said


def test_names_beyond_the_most_are_counted() -> None:
    assert join_first(["a", "b"], 2) == "a, b"
    assert join_first(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert join_first([], 2) == ""
