"""The weights that names on the command line stand for."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.registry import Catalogue
from zoo.weights import WeightsRequest
from zoo.weights import weights_requests as wanted_of


def weights_requests(known: Catalogue, names: Sequence[str]) -> list[WeightsRequest]:
    """One set of weights a name, in order, each once.

    Raises:
        NameNotFound, NameAmbiguous: a name is none, or several.
    """
    found = [wanted_of(known.resolve(name)) for name in names]
    return list({one.entry: one for one in found}.values())


def format_megabytes(count: int) -> str:
    """A file's size as people say it."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
