"""A trained model in a folder of its own, `file:FOLDER`, which has a card next to its weights; in
an exported file, which carries its card; or in a repository of the Hub, `hub:org/name`."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.environment import expand_home
from zoo.errors import CardError, NameNotFound
from zoo.registry.card import SCHEMA
from zoo.registry.exported import FORMATS, IR, exported_file, read_facts
from zoo.registry.missing import NOBODY
from zoo.registry.registry_file import USER, RegistryFile, read_registry_file, registry_file_of

FILE_PREFIX = "file:"
HUB_PREFIX = "hub:"
CARD = "card.yaml"  # a registry file with one card


def card_file(name: str) -> Path | None:
    """The card of the model that `file:FOLDER` names; None for any other name, and for a folder
    without a card."""
    if not name.startswith(FILE_PREFIX):
        return None
    path = expand_home(name.removeprefix(FILE_PREFIX)) / CARD
    return path.absolute() if path.is_file() else None


def exported_of(name: str) -> Path | None:
    """The exported file that `file:PATH` names, or None; a folder with a card is none."""
    if not name.startswith(FILE_PREFIX) or card_file(name):
        return None
    path = exported_file(expand_home(name.removeprefix(FILE_PREFIX)))
    return path.absolute() if path else None


def place_of(origin: str) -> str:
    """The name, from any folder, of the model whose card is in that file: `file:FOLDER`, or the
    exported file itself."""
    path = Path(os.path.abspath(origin))
    is_folder = path.name == CARD or (path.name == IR and not (path.parent / CARD).is_file())
    return f"{FILE_PREFIX}{path.parent if is_folder else path}"


def is_model(path: str) -> bool:
    """Whether there is a folder with a card, or an exported file, of that path."""
    name = f"{FILE_PREFIX}{path}"
    exported = exported_of(name)
    return card_file(name) is not None or (exported is not None and exported.is_file())


def place_meant(name: str) -> tuple[str, str] | None:
    """The case, and the words to type, for a name that is the path of a model, or of an exported
    file that is not there; else None."""
    if is_model(name):
        return NOBODY, f"The one in this folder is {FILE_PREFIX}{name}"
    if not name.endswith(tuple(FORMATS)):
        return None
    case = f"That is what an exported file is called, and there is no file '{name}'."
    return case, f"Correct the path, and say that it is a file: {FILE_PREFIX}{name}"


def read_folder(name: str) -> RegistryFile:
    """The card in the folder or exported file that a name says.

    Raises: NameNotFound if there is none; CardError naming what is wrong with it.
    """
    path = card_file(name)
    if path is None and (exported := exported_of(name)):
        facts = read_facts(exported)
        data = {"schema": SCHEMA, "cards": {facts.model: facts.card}}
        return registry_file_of(data, exported, owner=USER)
    if path is None:
        folder = name.removeprefix(FILE_PREFIX)
        raise NameNotFound(
            f"No model named '{name}'.",
            f"The folder '{folder}' has no {CARD}: no run has ended there."
            if expand_home(folder).is_dir()
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
