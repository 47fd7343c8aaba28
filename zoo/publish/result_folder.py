"""Reads the folder of a run that has ended, and chooses the files to publish.

Checkpoints, samples, TensorBoard's logs and paths of this machine are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import msgspec
from msgspec import structs

from zoo.errors import CardError, DataError
from zoo.evaluate import Report
from zoo.files import read_regular
from zoo.limits import UNREADABLE
from zoo.paths import OutsideFolder, inside
from zoo.registry import Choice, catalogue
from zoo.registry.card import Card, FileSource, Licenses
from zoo.registry.folder import CARD, FILE_PREFIX
from zoo.registry.yaml_writer import dump
from zoo.weights.resolve import resolve

REPORT, CURVES, LOG, PAGE = "report.json", "curves.png", "log.csv", "README.md"
RECIPE, FACTS = "recipe.yaml", "run.json"
# The files of a push besides the weights; a later push removes those that it does not have.
PUSHED_FILES = (CARD, PAGE, RECIPE, FACTS, REPORT, CURVES, LOG)
LOCAL_FIELDS = ("to", "data", "validation")  # fields of a recipe that are paths on this machine


class HeldOut(TypedDict):
    """Images that were split off for validation: their share, and their ids."""

    share: float
    ids: list[int | str]


class Facts(TypedDict, total=False):
    """A run's data in `run.json`; its other fields are ignored."""

    data: str
    validation: str
    validation_sha256: str
    held_out: HeldOut


@dataclass(frozen=True)
class ResultFolder:
    """A trained model in a folder, its weights verified.

    choice: the card, and its weights.
    report: of the weights, with intervals; None if the run measured nothing.
    recipe: the fields of the recipe; empty without one.
    facts:  on the run's data; empty without `run.json`.
    """

    path: Path
    choice: Choice
    report: Report | None
    recipe: Mapping[str, Any]
    facts: Facts

    @classmethod
    def read(cls, path: Path) -> ResultFolder:
        """Reads a folder, and checks its weights against its card.

        Raises:
            NameNotFound: no run has ended there, or the plugin of its model is not loaded.
            CardError, WeightsError, DataError: one of its files is damaged or does not fit.
        """
        from zoo.train.recipe_file import read_recipe  # deferred: torch

        models = catalogue()
        choice = models.resolve(f"{FILE_PREFIX}{path}")
        resolve(models, choice, progress=False)
        report = Report.read(path / REPORT) if (path / REPORT).is_file() else None
        recipe = read_recipe(path / RECIPE) if (path / RECIPE).is_file() else {}
        return cls(path, choice, report, recipe, _facts(path / FACTS))

    @property
    def card(self) -> Card:
        """The card in the folder."""
        return self.choice.entry.card

    def licenses_with(self, weights: str | None, data: str | None) -> Licenses:
        """The licences of weights and data that are given, else those on the card; None is
        unknown."""
        own = self.card.licenses_of(self.choice.weights)
        return Licenses(code=own.code, weights=weights or own.weights, data=data or own.data)

    def files(self, name: str, licenses: Licenses) -> dict[str, Path | bytes]:
        """The files to upload besides the model page, by their names in the repository.

        name: of the model there.
        """
        files: dict[str, Path | bytes] = {CARD: self._card(name, licenses)}
        files |= {file: self.path / file for file in self.weights_files()}
        if self.recipe:
            files[RECIPE] = dump(self.recipe_elsewhere()).encode()
        for file in (FACTS, REPORT, CURVES, LOG):
            if (self.path / file).is_file():
                files[file] = self.path / file
        return files

    def weights_files(self) -> list[str]:
        """Names of the card's weights files in the folder."""
        sources = [
            source
            for weights in self.card.weights.values()
            for files in (weights.files, weights.artifacts)
            for listed in files.values()
            for source in listed
        ]
        names = dict.fromkeys(source.path for source in sources if isinstance(source, FileSource))
        for name in names:
            try:
                inside(self.path, name)
            except OutsideFolder as error:
                raise CardError(
                    f"'{self.path}' can't be published.", f"Its card: {error}.", "Correct the card."
                ) from None
        return list(names)

    def recipe_elsewhere(self) -> dict[str, Any]:
        """The recipe without paths of this machine."""
        return {
            field: None if field in LOCAL_FIELDS or is_file(value) else value
            for field, value in self.recipe.items()
        }

    def _card(self, name: str, licenses: Licenses) -> bytes:
        from zoo.train.card import card_text  # deferred: torch

        bare = {
            tag: structs.replace(weights, licenses=None)
            for tag, weights in self.card.weights.items()
        }
        card = structs.replace(self.card, licenses=licenses, weights=bare)
        return card_text(card, name).encode()


def is_file(value: object) -> bool:
    """Whether a field of a recipe names a file or a folder of this machine."""
    return isinstance(value, str) and value.startswith(FILE_PREFIX)


def _facts(path: Path) -> Facts:
    if not path.is_file():
        return {}
    try:
        return msgspec.json.decode(read_regular(path), type=Facts)
    except (*UNREADABLE, msgspec.DecodeError) as error:
        raise DataError(
            f"'{path.parent}' can't be published.",
            f"Its {path.name} can't be read: {error}.",
            f"Remove {path.name}: then nothing is said of the data.",
        ) from None
