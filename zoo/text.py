"""Words that depend on what they stand with: `1 class`, `2,000 classes`, `an int`."""

from __future__ import annotations

from collections.abc import Sequence


def pluralize(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2,000 files`; the plural is the noun with an s unless given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def join_first(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are: `a, b and 3 more`."""
    rest = len(names) - most
    first = ", ".join(names[:most])
    return f"{first} and {rest} more" if rest > 0 else first


def is_are(number: int) -> str:
    """`is` of one, else `are`."""
    return "is" if number == 1 else "are"


def capitalized(text: str) -> str:
    """The text as a sentence begins: `An int was given.`"""
    return text[:1].upper() + text[1:]


def type_name(value: object) -> str:
    """The type of a value in words: `an int`, `a list`, `None`."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
