"""One validated registry file: a summary of each card for listings, and the cards, decoded when
opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec

from zoo.errors import CardError
from zoo.registry.card import SCHEMA, Card
from zoo.registry.card_checks import check_card
from zoo.registry.extensions import without_extensions
from zoo.registry.schema import DISTRIBUTION, MODEL_NAME, check_name, convert
from zoo.registry.summary import CardSummary, summary_of
from zoo.registry.yaml_document import Document, Sheet, Step, parse, read

CORE = "core"
USER = "user"
BUILT_IN = {
    "compose": "zoo/compose"
}  # architectures of the core's own plugin, which every file may name without it


class KnownPlugin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A plugin that may not be installed: its distribution, and glob patterns of the model names it
    would bring."""

    distribution: Annotated[str, msgspec.Meta(pattern=DISTRIBUTION)]
    names: list[str] = []
    summary: str | None = None


class Outline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A registry file, schema 2, its cards not yet looked at.

    cards:         name -> card.
    aliases:       other name -> `name`, `plugin/name` or either with `.tag`.
    known_plugins: plugin -> what would come with it; only in the core's file and a user's.
    mirrors:       prefix of a source's address -> what to replace it by; only in a user's file.
    """

    schema: int
    cards: dict[str, Any] | None = None
    aliases: dict[str, str] | None = None
    known_plugins: dict[str, KnownPlugin] | None = None
    mirrors: dict[str, str] | None = None


class Alias(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Another name, what it stands for (qualified where that is in the same file), and the line
    that says so."""

    name: str
    target: str
    line: int | None


class Listing(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A registry file without its cards: a summary of each, in order, and the other sections."""

    rows: list[CardSummary]
    aliases: list[Alias]
    known_plugins: dict[str, KnownPlugin]
    mirrors: dict[str, str]


@dataclass(frozen=True)
class RegistryFile:
    """The content of one registry file.

    origin: the file; relative sources in its cards are relative to its folder.
    owner:  CORE, USER or a plugin's name.
    fetch:  gives the encoded card of each row, when the first is opened.
    """

    origin: str
    owner: str
    listing: Listing
    fetch: Callable[[], list[msgspec.Raw]]

    @property
    def rows(self) -> list[CardSummary]:
        """One row a card."""
        return self.listing.rows

    @property
    def names(self) -> list[str]:
        """The names it gives to models."""
        return [row.name for row in self.rows] + [alias.name for alias in self.listing.aliases]

    @cached_property
    def encoded(self) -> list[msgspec.Raw]:
        """One encoded card a row."""
        return self.fetch()

    def card(self, position: int) -> Card:
        """The whole card of the row at that position."""
        try:
            return _decoder().decode(self.encoded[position])
        except msgspec.ValidationError:
            return msgspec.convert(without_extensions(self.card_data(position), Card), Card)

    def card_data(self, position: int) -> dict[str, Any]:
        """The card as plain data: the fields that are given, its architecture as `plugin/name`."""
        written: dict[str, Any] = msgspec.msgpack.decode(self.encoded[position])
        return written

    def without(self, names: Collection[str]) -> RegistryFile:
        """A copy without the cards and aliases of these names."""
        positions = [position for position, row in enumerate(self.rows) if row.name not in names]
        aliases = [alias for alias in self.listing.aliases if alias.name not in names]
        listing = msgspec.structs.replace(
            self.listing, rows=[self.rows[position] for position in positions], aliases=aliases
        )
        return RegistryFile(
            self.origin,
            self.owner,
            listing,
            lambda: [self.encoded[position] for position in positions],
        )


@cache
def _decoder() -> msgspec.msgpack.Decoder[Card]:
    return msgspec.msgpack.Decoder(Card)


def read_registry_file(path: Path, *, owner: str) -> RegistryFile:
    """Reads a registry file that belongs to `owner`: CORE, USER, or a plugin's name.

    Raises:
        CardError: the file is invalid.
    """
    return parse_registry_file(read(path), path, owner=owner)


def parse_registry_file(raw: bytes, origin: Path, *, owner: str) -> RegistryFile:
    """Parses and validates the bytes of a registry file. Raises CardError."""
    return _make_registry_file(parse(raw, origin), Sheet(origin, raw), owner)


def registry_file_of(data: Mapping[str, Any], origin: Path, *, owner: str) -> RegistryFile:
    """Validates the content of a registry file given as Python data by the file `origin`."""
    return _make_registry_file(Document(dict(data), {}), Sheet(origin), owner)


def _make_registry_file(document: Document, sheet: Sheet, owner: str) -> RegistryFile:
    outline = _outline(document, sheet, owner)
    encoder = msgspec.msgpack.Encoder()
    rows: list[CardSummary] = []
    cards: list[msgspec.Raw] = []
    for name, data in (outline.cards or {}).items():
        at = ("cards", name)
        card = _card(sheet, name, data, owner)
        plugin = card.architecture.partition("/")[0] if owner == CORE else owner
        rows.append(summary_of(name, card, plugin=plugin, line=document.lines.get(at)))
        cards.append(_encoded(encoder, {**data, "architecture": card.architecture}, sheet, at))
    aliases = _aliases(outline.aliases or {}, rows, document, sheet, owner)
    listing = Listing(
        rows=rows,
        aliases=aliases,
        known_plugins=outline.known_plugins or {},
        mirrors=outline.mirrors or {},
    )
    return RegistryFile(str(sheet.origin), owner, listing, lambda: cards)


def _outline(document: Document, sheet: Sheet, owner: str) -> Outline:
    outline = convert(sheet, document.data, Outline)
    if outline.schema != SCHEMA:
        raise _other_schema(sheet, outline.schema)
    if outline.mirrors and owner != USER:
        case = "Only a user's own file may redirect downloads."
        raise sheet.flaw(case, "Move it to a file named in ZOO_REGISTRY.", at=("mirrors",))
    if outline.known_plugins and owner not in (CORE, USER):
        raise sheet.flaw(
            "A plugin's file can't speak for other plugins.",
            "Remove the section.",
            at=("known_plugins",),
        )
    for plugin in outline.known_plugins or {}:
        check_name(sheet, plugin, at=("known_plugins", plugin))
    if "" in (outline.mirrors or {}):
        raise sheet.flaw(
            "An empty prefix would redirect everything.",
            "Write the beginning of an address.",
            at=("mirrors", ""),
        )
    return outline


def _other_schema(sheet: Sheet, schema: int) -> CardError:
    case = f"It is written in schema {schema}, and this detzoo reads schema {SCHEMA}"
    if schema > SCHEMA:
        return sheet.flaw(f"{case}.", "Upgrade: pip install --upgrade detzoo", at=("schema",))
    return sheet.flaw(
        f"{case}, in which the sources of weights have the roles of their files.",
        f"Write `schema: {SCHEMA}`, and `files: {{model: [SOURCE]}}` for `sources: [SOURCE]`.",
        at=("schema",),
    )


def _card(sheet: Sheet, name: str, data: Any, owner: str) -> Card:
    """The card, valid, and with `plugin/name` for its architecture; `name` alone is built in, or
    one of the owner's."""
    card = convert(sheet, data, Card, at=("cards", name))
    card = msgspec.structs.replace(
        card, architecture=BUILT_IN.get(card.architecture, card.architecture)
    )
    check_card(sheet, name, card, qualified=owner in (CORE, USER))
    return (
        card
        if "/" in card.architecture
        else msgspec.structs.replace(card, architecture=f"{owner}/{card.architecture}")
    )


def _encoded(
    encoder: msgspec.msgpack.Encoder, data: dict[str, Any], sheet: Sheet, at: tuple[Step, ...]
) -> msgspec.Raw:
    """The card as written, not as decoded: facts left out take no room."""
    try:
        return msgspec.Raw(encoder.encode(data))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        case = f"It holds something that is not plain data: {error}."
        raise sheet.flaw(case, "Use numbers, text, lists and mappings only.", at=at) from error


def _aliases(
    written: dict[str, str], rows: list[CardSummary], document: Document, sheet: Sheet, owner: str
) -> list[Alias]:
    """The aliases, with `plugin/name` for a model of the same file; those of a user may also stand
    for names outside of it."""
    own = {row.name: row for row in rows}
    aliases: list[Alias] = []
    for name, target in written.items():
        at = ("aliases", name)
        check_name(sheet, name, at=at)
        if name in own:
            raise sheet.flaw(
                f"The alias '{name}' hides the model of that name.", "Rename the alias.", at=at
            )
        if not MODEL_NAME.fullmatch(target):
            raise sheet.flaw(
                f"'{target:.40}' is not a model's name.",
                "Write name, name.tag or plugin/name.",
                at=at,
            )
        base, _, tag = target.partition(".")
        if base in written:
            raise sheet.flaw(
                f"'{base}' is itself an alias.", "Name the model it stands for.", at=at
            )
        plugin, _, short = base.rpartition("/")
        row = own.get(short)
        if row is not None and plugin in ("", row.plugin):
            if tag and tag not in row.tags:
                raise sheet.flaw(
                    f"'{base}' has no weights tagged '{tag}'.",
                    f"It has: {', '.join(row.tags) or 'none'}.",
                    at=at,
                )
            target = f"{row.qualified}.{tag}" if tag else row.qualified
        elif owner != USER:
            raise sheet.flaw(
                f"There is no model '{target}' in this file.",
                "Correct the name, or remove the alias.",
                at=at,
            )
        aliases.append(Alias(name, target, document.lines.get(at)))
    return aliases


Models = dict[
    str, tuple[RegistryFile, CardSummary]
]  # name -> where one plugin has a model of that name


def first_duplicate(registry_files: Sequence[RegistryFile], plugin: str) -> str | None:
    """The first model that one plugin (or `user`) has in two files, with both places; None where
    there is none."""
    models: Models = {}
    return next(
        (
            twice
            for registry_file in registry_files
            if (twice := add_models(models, registry_file, plugin))
        ),
        None,
    )


def add_models(models: Models, registry_file: RegistryFile, plugin: str) -> str | None:
    """Adds a plugin's models in a file to `models`; returns the first duplicate with both places,
    or None."""
    for row in registry_file.rows:
        if row.plugin == plugin:
            first, before = models.setdefault(row.name, (registry_file, row))
            if before is not row:
                places = f"{place(first, before.line)}, and {place(registry_file, row.line)}"
                return f"'{row.name}' twice: {places}"
    return None


def place(registry_file: RegistryFile, line: int | None) -> str:
    """Formats a file and line for messages."""
    return f"'{registry_file.origin}'" + (f", line {line}" if line else "")
