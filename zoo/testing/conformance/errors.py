"""What a check says: nothing where all is well, a sentence where it is not, or why it can't be
asked here."""

from __future__ import annotations


class ConformanceError(AssertionError):
    """A detector does not do what the zoo promises of every detector; the text is one sentence."""


class NotApplicable(Exception):
    """A check has nothing to look at, on this machine or in this model; the text says why."""


class NotHere(NotApplicable):
    """A check has nothing to look at on this machine, and may have on another; the text says what
    is missing."""


def require(kept: bool, sentence: str) -> None:
    """Raises: ConformanceError with the sentence, unless the promise is kept."""
    if not kept:
        raise ConformanceError(sentence)
