"""Optional packages: imported when they are needed, and a missing one says how to install it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from zoo.errors import MissingExtra


def optional(module: str, *, wanted_for: str, extra: str | None = None) -> ModuleType:
    """The imported module of an optional package. extra: what the package's extra is called; its
    own name unless given.

    Raises: MissingExtra where it is not installed.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:  # installed, but broken: its own message is the better one
            raise
        raise MissingExtra(
            f"{wanted_for} can't be had.",
            f"The package {package} is not installed.",
            f"pip install 'detzoo[{extra or package}]'",
        ) from None
