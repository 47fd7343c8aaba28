"""Optional packages: imported when they are needed, and a missing one says how to install it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from zoo.errors import MissingExtra


def optional(package: str, *, wanted_for: str) -> ModuleType:
    """The imported package, which has its extra's name. Raises: MissingExtra where it is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as why:
        if why.name != package:  # installed, but broken: its own message is the better one
            raise
        raise MissingExtra(
            f"{wanted_for} was asked for.",
            f"The package {package} is not installed.",
            f"pip install 'detzoo[{package}]'",
        ) from None
