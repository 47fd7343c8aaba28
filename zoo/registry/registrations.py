"""Cards and builders that one plugin hands over through its hooks, each checked as it comes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from zoo.errors import PluginError
from zoo.registry.dataset_format import RegisteredFormat
from zoo.registry.hookspecs import Build
from zoo.registry.index import indexed_file
from zoo.registry.registry_file import (
    Alias,
    Models,
    RegistryFile,
    add_models,
    place,
    registry_file_of,
)
from zoo.registry.schema import NAME_PATTERN

Kind = Literal["architectures", "backbones", "necks", "heads", "datasets", "engines", "trackers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WHOLE_FAMILY = "*"
_BUILD_FIX = 'Pass a callable or "package.module:function".'
_PART = re.compile(NAME_PATTERN)
_SUFFIX = re.compile(r"(\.[a-z0-9_-]+)+")
_FOLDER = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass
class Contribution:
    """One plugin's cards and builders; open while its hooks run, then closed for good.

    origin:   the plugin's module file, which stands in for a registry file if cards come as Python
              data.
    core:     the core's own file, which already has cards of bundled plugins.
    models:   name -> where the plugin has a model of that name.
    aliases:  name -> where the plugin has an alias of that name.
    builders: kind -> part's name (or `*`, a whole family) -> how to build it.
    formats:  name of a data set format -> what is known of it besides its reader, which is among
              the builders.
    """

    plugin: str
    origin: Path
    core: RegistryFile | None = None
    registry_files: list[RegistryFile] = field(default_factory=list)
    builders: dict[Kind, dict[str, Build]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    formats: dict[str, RegisteredFormat] = field(default_factory=dict)
    models: Models = field(default_factory=dict)
    aliases: dict[str, tuple[RegistryFile, Alias]] = field(default_factory=dict)
    closed: bool = False

    def add_cards(self, cards: Path | str | Mapping[str, Any], /) -> None:
        """Takes a registry file (a relative path is relative to the plugin's module), or its
        content.

        Raises:
            CardError: the file is invalid.
            PluginError: a model of that name was handed over before.
        """
        self._check_open()
        if isinstance(cards, Mapping):
            registry_file = registry_file_of(cards, self.origin, owner=self.plugin)
        else:
            registry_file = indexed_file(self.origin.parent / cards, owner=self.plugin)
        if not self.registry_files and self.core:
            add_models(self.models, self.core, self.plugin)
        if twice := add_models(self.models, registry_file, self.plugin):
            raise self._refuse(f"It has the model {twice}.", "Rename or remove one of the two.")
        self._add_aliases(registry_file)
        self.registry_files.append(registry_file)

    def _add_aliases(self, registry_file: RegistryFile) -> None:
        """Refuses an alias that has the name of a model of this plugin, or a name of detzoo's own.
        Raises PluginError."""
        for alias in registry_file.listing.aliases:
            case = f"It has the alias '{alias.name}' for '{alias.target}'"
            if alias.name in self.models:
                first, row = self.models[alias.name]
                raise self._refuse(
                    f"{case}, and a model of that name: {place(first, row.line)}.",
                    "Rename the alias.",
                )
            if whose := self._built_in.get(alias.name):
                raise self._refuse(f"{case}, which is the name of {whose}.", "Rename the alias.")
            before = self.aliases.setdefault(alias.name, (registry_file, alias))
            if before[1] is not alias:
                places = " and ".join(
                    place(source, alias.line) for source, alias in (before, (registry_file, alias))
                )
                raise self._refuse(
                    f"It has the alias '{alias.name}' twice: {places}.",
                    "Rename or remove one of the two.",
                )

    @cached_property
    def _built_in(self) -> dict[str, str]:
        """The names in the core's own file, and whose each is; nobody else's alias may stand for
        something else."""
        listing = self.core.listing if self.core else None
        models = (
            {row.name: f"the model '{row.qualified}' of detzoo" for row in listing.rows}
            if listing
            else {}
        )
        return (
            {alias.name: f"detzoo's alias for '{alias.target}'" for alias in listing.aliases}
            | models
            if listing
            else {}
        )

    def add_builder(self, kind: Kind, name: str, build: Build, /) -> None:
        """Takes one builder; `plugin/name` is the same as `name`. Raises PluginError."""
        self._check_open()
        if not isinstance(name, str):
            raise self._refuse(
                f"It registers {name!r:.60} among the {kind}, which is not a name.",
                'Write register("name", build).',
            )
        short = name.removeprefix(f"{self.plugin}/")
        if short != WHOLE_FAMILY and not _PART.fullmatch(short):
            raise self._refuse(
                f"It registers '{name:.60}' among the {kind}.",
                "Names have lower-case letters, digits, - and _ only.",
            )
        if short in self.builders[kind]:
            both = f"{_spelt(self.builders[kind][short])} and {_spelt(build)}"
            case = f"It registers '{name}' twice among the {kind}: {both}."
            raise self._refuse(case, "Rename or remove one of the two.")
        if not _is_build(build):
            raise self._refuse(f"It registers '{name}' with {_spelt(build)}.", _BUILD_FIX)
        self.builders[kind][short] = build

    def add_dataset(
        self,
        name: str,
        read: Build,
        /,
        *,
        suffixes: Sequence[str] = (),
        options: type | str | None = None,
        write: Build | None = None,
        holds: Sequence[str] = (),
        recognise: Build | None = None,
        images: str = "images",
    ) -> None:
        """Takes one format of data sets. Raises PluginError."""
        self.add_builder("datasets", name, read)
        short = name.removeprefix(f"{self.plugin}/")
        if short == WHOLE_FAMILY:
            raise self._refuse(
                "It registers '*' among the datasets.", "Give every format a name of its own."
            )
        if isinstance(suffixes, str) or not all(map(_is_suffix, suffixes)):
            case = f"It registers '{name}' with the suffixes {suffixes!r:.60}."
            raise self._refuse(case, 'Write them in lower case, as in suffixes=(".csv",).')
        if options is not None and not _is_options(options):
            case = f"It registers '{name}' with the options {_spelt(options)}."
            fix = 'Pass a msgspec.Struct, a dataclass or "package.module:Name".'
            raise self._refuse(case, fix)
        for role, build in (("writer", write), ("function `recognise`", recognise)):
            if build is not None and not _is_build(build):
                case = f"It registers '{name}' with the {role} {_spelt(build)}."
                raise self._refuse(case, _BUILD_FIX)
        self._check_words(name, holds, images)
        self.formats[short] = RegisteredFormat(
            read, tuple(suffixes), options, write, tuple(holds), recognise, images
        )

    def _check_words(self, name: str, holds: Sequence[str], images: object) -> None:
        """Raises: PluginError for anything but a list of words, and the name of a folder."""
        if isinstance(holds, str) or not all(isinstance(word, str) for word in holds):
            case = f"It registers '{name}' with holds={holds!r:.60}."
            raise self._refuse(case, 'List words, as in holds=("crowd", "area").')
        if not isinstance(images, str) or not _FOLDER.fullmatch(images):
            case = f"It registers '{name}' with images={images!r:.60}."
            raise self._refuse(case, 'Name one folder, as in images="images".')

    def counts(self) -> dict[str, int]:
        """The number of things handed over by sort; sorts without any are left out."""
        counts = {"cards": sum(len(registry_file.rows) for registry_file in self.registry_files)}
        counts |= {kind: len(builders) for kind, builders in self.builders.items()}
        return {sort: count for sort, count in counts.items() if count}

    def _check_open(self) -> None:
        if self.closed:
            raise self._refuse(
                "It registers something after its hooks have returned.",
                "Call register inside the hook only.",
            )

    def _refuse(self, case: str, fix: str) -> PluginError:
        return PluginError(f"The plugin '{self.plugin}' was asked what it has.", case, fix)


def _is_build(build: object) -> bool:
    return callable(build) or (isinstance(build, str) and bool(_PLACE.fullmatch(build)))


def _is_suffix(suffix: object) -> bool:
    return isinstance(suffix, str) and bool(_SUFFIX.fullmatch(suffix))


def _is_options(options: object) -> bool:
    """Whether it is a type with declared fields, or where one is."""
    if isinstance(options, str):
        return bool(_PLACE.fullmatch(options))
    fields = hasattr(options, "__struct_fields__") or hasattr(options, "__dataclass_fields__")
    return isinstance(options, type) and fields


def _spelt(build: object) -> str:
    """A builder as one finds it again: the text it was registered with, or where the callable is
    from."""
    module, name = getattr(build, "__module__", None), getattr(build, "__qualname__", None)
    return f"{module}:{name}"[:80] if module and name else f"{build!r:.80}"
