"""A trained model in a folder of its own, `file:FOLDER`, which has a card next to its weights; or
in a repository of the Hub, `hub:org/name`."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import CardError, NameNotFound
from zoo.registry.registry_file import USER, RegistryFile, read_registry_file

PREFIX = "file:"
HUB = "hub:"
CARD = "card.yaml"  # a registry file with one card


def card_file(name: str) -> Path | None:
    """The card of the model that `file:FOLDER` names; None for any other name, and for a folder
    without a card."""
    if not name.startswith(PREFIX):
        return None
    path = Path(name.removeprefix(PREFIX)).expanduser() / CARD
    return path.absolute() if path.is_file() else None


def read_folder(name: str) -> RegistryFile:
    """The card in the folder that a name says.

    Raises: NameNotFound if there is none; CardError naming what is wrong with it.
    """
    path = card_file(name)
    if path is None:
        folder = name.removeprefix(PREFIX)
        raise NameNotFound(
            f"No model named '{name}'.",
            f"The folder '{folder}' has no {CARD}: no run has ended there."
            if Path(folder).expanduser().is_dir()
            else f"There is no folder '{folder}'.",
            "Name the folder of a run that has ended, as zoo train prints it.",
        )
    return read_card(path)


def read_card(path: Path) -> RegistryFile:
    """A registry file with one card. Raises: CardError naming what is wrong with it."""
    registry_file = read_registry_file(path, owner=USER)
    if len(registry_file.rows) != 1:
        raise CardError(
            f"Cards were read from '{path}'.",
            f"There are {len(registry_file.rows)}, and a folder is one model.",
            "Name it as a registry file instead: ZOO_REGISTRY=PATH",
        )
    return registry_file
