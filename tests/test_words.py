"""Words that depend on what they stand with."""

import pytest

from zoo.words import are, counted, kind


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 classes are"), (1, "1 class is"), (2, "2 classes are"), (2000, "2,000 classes are")]
)
def test_a_noun_agrees_with_its_number(number: int, said: str) -> None:
    assert f"{counted(number, 'class', 'classes')} {are(number)}" == said
    assert counted(number, "file") == said.rsplit(" ", 2)[0] + (" file" if number == 1 else " files")


@pytest.mark.parametrize(("value", "said"), [(3, "an int"), ([], "a list"), (None, "None"), (OSError(), "an OSError")])
def test_a_type_has_its_article(value: object, said: str) -> None:
    assert kind(value) == said
