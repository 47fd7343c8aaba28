"""A trained model in a folder of its own, `file:FOLDER`, which has a card next to its weights; in
an exported file, which carries its card; or in a repository of the Hub, `hub:org/name`."""

from __future__ import annotations

import os
import shlex
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
RECIPE, FACTS = "recipe.yaml", "run.json"  # of a run of `zoo train`, from its beginning
WEIGHTS_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


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


def is_run(folder: Path) -> bool:
    """Whether a run of `zoo train` was begun in the folder; where it has ended, there is a card."""
    return all((folder / name).is_file() for name in (RECIPE, FACTS))


def place_meant(name: str) -> NameNotFound | None:
    """The error for a name that is the path of a model, a run or weights, or of an exported file
    that is not there; None for any other."""
    failure, place = f"No model named '{name}'.", f"{FILE_PREFIX}{name}"
    if is_model(name):
        return NameNotFound(
            failure,
            NOBODY,
            f'The one in this folder is {place}: zoo.load("{place}")',
            fix_cli=f"The one in this folder is {place}: --model {shlex.quote(place)}",
        )
    path = expand_home(name)
    if is_run(path):
        return NameNotFound(failure, *_not_ended(name))
    if name.endswith(WEIGHTS_ENDINGS) and path.is_file():
        return NameNotFound(
            failure,
            "That is a file of weights; the network that they belong to has to be named as well.",
            f'Name it: zoo.load("yolox_nano", weights="{place}")',
            fix_cli=f"Name it: --model NAME --weights {shlex.quote(place)}",
        )
    if not name.endswith(tuple(FORMATS)):
        return None
    case = f"That is what an exported file is called, and there is no file '{name}'."
    return NameNotFound(
        failure, case, f"Correct the path, and say that it is a file: {FILE_PREFIX}{name}"
    )


def resume_command(folder: str | os.PathLike[str]) -> str:
    """The command that continues the run in a folder."""
    return f"zoo train {shlex.quote(os.fspath(folder))} --resume"


def _not_ended(folder: str) -> tuple[str, str]:
    """The case and the fix for a run whose folder is not a model yet."""
    return (
        f"The run in the folder '{folder}' has not ended, and writes its {CARD} when it does.",
        f"Continue it: {resume_command(folder)}",
    )


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
        if is_run(expand_home(folder)):
            raise NameNotFound(f"No model named '{name}'.", *_not_ended(folder))
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
