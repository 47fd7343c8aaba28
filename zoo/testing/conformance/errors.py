"""Errors of a check: a broken promise, or the reason why it is not applicable."""

from __future__ import annotations


class ConformanceError(AssertionError):
    """A detector does not do what the zoo promises of every detector; the text is one sentence."""


class NotApplicable(Exception):
    """A check can't test anything, on this machine or in this model; the text says why."""


class NotHere(NotApplicable):
    """A check can't test anything on this machine, but may on another; the text says what is
    missing."""


def require(is_kept: bool, sentence: str) -> None:
    """Raises: ConformanceError with that sentence unless the promise is kept."""
    if not is_kept:
        raise ConformanceError(sentence)
