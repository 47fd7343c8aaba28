"""The catalogue: every model, alias and part that the core, the plugins and the user's files bring,
under one set of names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from operator import itemgetter
from typing import Any

from zoo.errors import NameAmbiguous, NameNotFound
from zoo.registry import builders
from zoo.registry.card import Card, Weights
from zoo.registry.dataset_format import DatasetFormat
from zoo.registry.folder import FILE_PREFIX, place_meant, place_of, read_folder
from zoo.registry.missing import NOBODY, Missing, PluginFacts
from zoo.registry.plugins import Plugin, PluginInfo
from zoo.registry.registrations import KINDS, WHOLE_FAMILY, Kind
from zoo.registry.registry_file import USER, Alias, RegistryFile
from zoo.registry.summary import CardSummary
from zoo.suggest import close_family, close_matches, close_prefix, join_or, suggest

Extract = dict[
    str, dict[str, Any]
]  # sections of a registry file, as in `zoo.registry.registry_file.Outline`


@dataclass(frozen=True)
class Entry:
    """One model in the catalogue.

    plugin: whose it is; cards of a user's own files belong to `user`.
    card:   everything known about it; its architecture is written `plugin/name`.
    origin: the file it was read from; relative sources are relative to its folder.
    line:   the line it begins at, or None where Python code handed it over.
    place:  `file:FOLDER`, absolute, of a model that is in no registry file; else None.
    """

    name: str
    plugin: str
    card: Card
    origin: str
    line: int | None = None
    place: str | None = None

    @property
    def qualified(self) -> str:
        """`plugin/name`, which is never ambiguous among listed models."""
        return f"{self.plugin}/{self.name}"

    @property
    def identity(self) -> str:
        """Its own name in lock files and records: two folders may have a model of one name."""
        return self.place or self.qualified


@dataclass(frozen=True)
class Choice:
    """A model and one set of its weights, as a name resolves.

    tag, weights: None for a card that has no weights.
    """

    entry: Entry
    tag: str | None
    weights: Weights | None

    @property
    def name(self) -> str:
        """`name.tag`, or `name` alone for a card without weights."""
        return f"{self.entry.name}.{self.tag}" if self.tag else self.entry.name


class Catalogue:
    """All there is to choose from; it does not change once it is made, and may be shared between
    threads.

    mirrors: prefix of a source's address -> what to replace it by; of one prefix in two files, the
        later counts.
    """

    def __init__(self, registry_files: Sequence[RegistryFile], plugins: Sequence[Plugin]) -> None:
        self._registry_files = tuple(registry_files)
        self._plugins = tuple(plugins)
        loaded = {plugin.info.name for plugin in plugins if plugin.info.status == "loaded"}
        self._listed: dict[str, list[CardSummary]] = {}
        hidden: dict[str, str] = {}
        for row in (row for registry_file in registry_files for row in registry_file.rows):
            needs = row.architecture.partition("/")[0]
            if needs not in loaded:
                hidden[row.name] = hidden[row.qualified] = needs
            elif row.name in self._listed:
                self._listed[row.name].append(row)
            else:
                self._listed[row.name] = [row]
        self._opened: dict[tuple[str, str], Entry] = {}
        self._builders: dict[tuple[str, str, str | None], Callable[..., Any]] = {}
        listings = [registry_file.listing for registry_file in registry_files]
        # The core's own file comes first, and nobody else's says what to install for a plugin that
        # it knows.
        known_plugins = {
            name: plugin
            for listing in reversed(listings)
            for name, plugin in listing.known_plugins.items()
        }
        self._facts = PluginFacts(
            {plugin.info.name: plugin.info for plugin in reversed(plugins)}, known_plugins, hidden
        )
        self._aliases: dict[str, list[Alias]] = {}
        for alias in (alias for listing in listings for alias in listing.aliases):
            self._aliases.setdefault(alias.name, []).append(alias)
        self.mirrors: dict[str, str] = {
            prefix: to for listing in listings for prefix, to in listing.mirrors.items()
        }

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every installed plugin and how it fared."""
        return tuple(plugin.info for plugin in self._plugins)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Other names, and the names they stand for, as far as those are listed."""
        names: dict[str, str] = {}
        for name in sorted(self._aliases):
            for row, tag in self._through_alias(name)[:1]:
                names[name] = f"{self.display_name(row)}.{tag}" if tag else self.display_name(row)
        return names

    def display_name(self, row: CardSummary) -> str:
        """The name of a listed model as it is shown: short, or `plugin/name` where another has the
        same short name."""
        return row.name if len(self._listed[row.name]) == 1 else row.qualified

    def names(self, pattern: str = "*") -> list[str]:
        """The names of all models that match a glob, sorted; those that several plugins have appear
        as `plugin/name`.

        A pattern with a slash is held against the qualified names.
        """
        return [name for name, _ in self.rows(pattern)]

    def rows(self, pattern: str = "*") -> list[tuple[str, CardSummary]]:
        """The names as in `names`, each with what a listing shows of it; opens no card."""
        pattern = pattern.lower()
        shown = (
            (row.name if len(rows) == 1 else row.qualified, row)
            for rows in self._listed.values()
            for row in rows
        )
        if pattern != "*":
            shown = (
                (name, row)
                for name, row in shown
                if fnmatchcase(row.qualified if "/" in pattern else row.name, pattern)
            )
        return sorted(shown, key=itemgetter(0))

    def entries(self, pattern: str = "*") -> list[Entry]:
        """The models whose names match a glob, in the order of `names`."""
        return [self._entry(row) for _, row in self.rows(pattern)]

    def resolve(self, name: str) -> Choice:
        """The model that `name`, `name.tag`, `plugin/name`, `plugin/name.tag`, `alias` or
        `alias.tag` stands for.

        Raises:
            NameNotFound: nothing has that name; the message has the nearest names, or the plugin it
                would come from.
            NameAmbiguous: several plugins have a model of that name; the message lists the
                qualified names.
        """
        if name.startswith(FILE_PREFIX):
            choice = self.choice_of(read_folder(name), name)
            return replace(choice, entry=replace(choice.entry, place=place_of(choice.entry.origin)))
        failure = f"No model named '{name}'."
        base, _, tag = name.partition(".")
        rows = self.rows_of(base)
        if len(rows) > 1:
            names = join_or(sorted(row.qualified for row in rows))
            raise NameAmbiguous(
                f"{len(rows)} models are named '{name}'.",
                "A name without its plugin has to stand for one.",
                f"Say which: {names}.{self._rename(rows)}",
            )
        if not rows and (error := place_meant(name)):
            raise error
        if not rows:
            raise self._not_found(failure, base)
        entry = self._open(rows[0])
        alias_tag = "" if self._direct(base) else self._through_alias(base)[0][1]
        tag = tag or alias_tag or rows[0].default or ""
        if tag and tag not in entry.card.weights:
            raise _no_tag(failure, entry, tag)
        return Choice(entry, tag or None, entry.card.weights.get(tag))

    def choice_of(self, registry_file: RegistryFile, name: str) -> Choice:
        """The model of a file with one card, named `name`; its plugin has to be loaded.

        Raises: NameNotFound where it is not.
        """
        [row], card = registry_file.rows, registry_file.card(0)
        plugin = row.architecture.partition("/")[0]
        if not any(info.name == plugin and info.status == "loaded" for info in self.plugins):
            missing = self._facts.missing(plugin, row.name)
            case = f"Its architecture is of the plugin '{plugin}', which is not loaded."
            fix = missing.fix if missing else "See zoo plugins."
            raise NameNotFound(f"The model in '{name}' can't be built.", case, fix)
        tag = row.default or next(iter(card.weights), None)
        entry = Entry(row.name, row.plugin, card, registry_file.origin, row.line)
        return Choice(entry, tag, card.weights.get(tag) if tag else None)

    def rows_of(self, base: str) -> list[CardSummary]:
        """Every card that a name without a tag can mean: none, one, or several where it is
        ambiguous."""
        rows = [*self._direct(base), *(row for row, _ in self._through_alias(base))]
        return rows if len(rows) < 2 else list({row.qualified: row for row in rows}.values())

    def is_model(self, short: str) -> bool:
        """Whether a listed model has that very name; aliases don't count."""
        return short in self._listed

    def is_alias(self, name: str) -> bool:
        """Whether a name is only another name for a model; aliases of it are not followed."""
        return name in self._aliases and name not in self._listed

    def missing(self, base: str) -> Missing | None:
        """The plugin that a name without a tag would come from, and why it is missing, if known."""
        plugin, _, short = base.rpartition("/")
        return self._facts.missing(plugin, short)

    def distribution_of(self, package: str) -> str | None:
        """The distribution that a known plugin's package `detzoo_NAME` comes with, or None."""
        if not package.startswith("detzoo_"):
            return None
        plugin = self._facts.known.get(package.removeprefix("detzoo_"))
        return plugin.distribution if plugin else None

    def builder(self, kind: Kind, name: str, *, plugin: str | None = None) -> Callable[..., Any]:
        """The callable that builds a part: `plugin/name`, or `name` of that plugin; looked up once,
        see `zoo.registry.builders.builder`."""
        place = (kind, name, plugin)
        if place not in self._builders:
            build = builders.builder(self._plugins, self._facts, kind, name, plugin=plugin)
            self._builders[place] = build
        return self._builders[place]

    def dataset_format(self, name: str) -> DatasetFormat:
        """The data set format of that name; see `zoo.registry.builders.dataset_format`."""
        return builders.dataset_format(self._plugins, self._facts, name)

    def dataset_recognisers(self) -> list[str]:
        """The formats `plugin/name` that can say whether a folder is theirs."""
        return builders.dataset_recognisers(self._plugins)

    def dataset_suffixes(self) -> dict[str, list[str]]:
        """Suffix of files -> the data set formats `plugin/name` that have it."""
        return builders.dataset_suffixes(self._plugins)

    def modules(self, plugin: str) -> set[str]:
        """The top-level modules a plugin is made of: its entry point's and its builders'."""
        places: list[str] = []
        for named in self._plugins_named(plugin):
            places.append(named.info.entry)
            for kind in KINDS:
                for build in named.contribution.builders[kind].values():
                    module = getattr(build, "__module__", None) or ""
                    places.append(build if isinstance(build, str) else module)
        return {place.partition(":")[0].partition(".")[0] for place in places} - {""}

    def parts(self, kind: Kind) -> list[str]:
        """Every registered part of a kind as `plugin/name`; `plugin/*` is a whole family."""
        return builders.parts(self._plugins, kind)

    def has(self, kind: Kind, name: str) -> bool:
        """Whether a loaded plugin has the part `plugin/name`, or builds every name there is."""
        plugin, _, short = name.partition("/")
        owners = [named.contribution.builders[kind] for named in self._plugins_named(plugin)]
        return any(short in builders or WHOLE_FAMILY in builders for builders in owners)

    def _plugins_named(self, name: str) -> list[Plugin]:
        return [plugin for plugin in self._plugins if plugin.info.name == name]

    def extract(self, choices: Iterable[Choice]) -> Extract:
        """Cards and aliases of these models from the user's own files and folders."""
        own = [
            registry_file for registry_file in self._registry_files if registry_file.owner == USER
        ]
        entries = [choice.entry for choice in choices]
        chosen = {entry.qualified for entry in entries if not entry.place}
        cards = {
            row.name: registry_file.card_data(position)
            for registry_file in own
            for position, row in enumerate(registry_file.rows)
            if row.qualified in chosen
        }
        cards |= {
            entry.name: read_folder(entry.place).card_data(0) for entry in entries if entry.place
        }
        aliases = {
            alias.name: alias.target
            for alias in (alias for registry_file in own for alias in registry_file.listing.aliases)
            if any(row.qualified in chosen for row in self._direct(alias.target.partition(".")[0]))
        }
        return {
            section: content
            for section, content in (("cards", cards), ("aliases", aliases))
            if content
        }

    @cached_property
    def _places(self) -> dict[str, tuple[RegistryFile, int]]:
        """The file and position of each card, by qualified name."""
        return {
            row.qualified: (registry_file, position)
            for registry_file in self._registry_files
            for position, row in enumerate(registry_file.rows)
        }

    def _entry(self, row: CardSummary) -> Entry:
        registry_file, position = self._places[row.qualified]
        return Entry(
            row.name, row.plugin, registry_file.card(position), registry_file.origin, row.line
        )

    def _open(self, row: CardSummary) -> Entry:
        """The entry of a row; its card is decoded once, and the same for all who ask."""
        place = (row.plugin, row.name)
        if place not in self._opened:
            self._opened[place] = self._entry(row)
        return self._opened[place]

    def _direct(self, base: str) -> list[CardSummary]:
        plugin, _, short = base.rpartition("/")
        return [row for row in self._listed.get(short, []) if plugin in ("", row.plugin)]

    def _through_alias(self, base: str) -> list[tuple[CardSummary, str]]:
        """The cards that aliases of this name stand for, each with the alias's tag; aliases of
        aliases are not followed."""
        targets = (alias.target.partition(".") for alias in self._aliases.get(base, []))
        return [(row, tag) for target, _, tag in targets for row in self._direct(target)]

    def _rename(self, rows: Iterable[CardSummary]) -> str:
        """Advice on the user's own card among several of one name: its file and line."""
        own = next((row for row in rows if row.plugin == USER), None)
        if own is None:
            return ""
        return f" Or rename yours: '{self._places[own.qualified][0].origin}', line {own.line}."

    def _not_found(self, failure: str, base: str) -> NameNotFound:
        aliases = self._aliases.get(base)
        target = aliases[0].target.partition(".")[0] if aliases else base
        if missing := self.missing(target):
            return NameNotFound(failure, missing.case, missing.fix)
        case = f"It is an alias of '{target}', which no model is named." if aliases else NOBODY
        names: Iterable[str] = [*self._listed, *self.aliases]
        if "/" in base:
            names = [row.qualified for rows in self._listed.values() for row in rows]
        alike = (
            close_family(base, names)
            or close_matches(base, names)
            or close_matches(base.rpartition("/")[2], self._listed)
        )
        skipped = [info.name for info in self.plugins if info.status == "quarantined"]
        if skipped:
            case += (
                f" The plugin {join_or(skipped)}, which may have it, is quarantined; zoo plugins "
                f"says why."
            )
        return NameNotFound(failure, case, suggest(alike, otherwise=self.listing_near(base)))

    def listing_near(self, name: str) -> str:
        """Advice if no model has a name like `name`: list those that begin like it, or all."""
        beginning = close_prefix(name.rpartition("/")[2], self._listed)
        return (
            f"See those with such a name: zoo list '{beginning}*'"
            if beginning
            else "See which there are: zoo list"
        )


def _no_tag(failure: str, entry: Entry, tag: str) -> NameNotFound:
    tags = list(entry.card.weights)
    if not tags:
        return NameNotFound(
            failure,
            f"The card of '{entry.name}' has no weights.",
            f"Leave the tag out: {entry.name}",
        )
    names = (f"{entry.name}.{each}" for each in close_matches(tag, tags) or tags)
    return NameNotFound(
        failure,
        f"'{entry.name}' has no weights tagged '{tag}'.",
        f"Did you mean {join_or(names)}?",
    )
