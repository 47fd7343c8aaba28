"""Errors of a check: a broken promise, or the reason why it is not applicable."""

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
