"""`zoo show`: prints everything on one model's card, and how to load it.

With `--json`, one object: name, plugin, qualified, tag (the weights that the name stands for),
aliases, origin (the file), line, and card, whose fields are those of `zoo.registry.Card`; null is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from shutil import get_terminal_size
from textwrap import wrap
from typing import Annotated

import msgspec
import typer

from zoo import labels
from zoo.cli import output
from zoo.cli.format import format_claim, format_text
from zoo.labels.builtin import OPEN
from zoo.registry import Card, Catalogue, Choice, catalogue
from zoo.registry.card import (
    MODEL,
    FileSource,
    HubSource,
    Input,
    Licenses,
    PackageSource,
    Source,
    UrlSource,
    Weights,
)
from zoo.registry.folder import HUB_PREFIX
from zoo.text import pluralize

MAX_WIDTH = 80  # characters of a wrapped line
LABEL_WIDTH = 16  # characters
RESIZE_TEXTS = {
    "letterbox": "{}x{}, aspect kept, padded with {padding:g}",
    "fixed": "{}x{}, stretched",
    "shortest_edge": "shortest edge {}, longest at most {}",
}


def show(
    name: Annotated[str, typer.Argument(help="name, name.tag, plugin/name or an alias.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show everything known of a model: architecture, input, licences, where its weights are and
    what is claimed of them."""
    registry = catalogue()
    choice = _choice(registry, name)
    if as_json:
        output.document(msgspec.json.format(msgspec.json.encode(_facts(registry, choice))).decode())
    else:
        output.lines(_page(registry, choice))


def _choice(registry: Catalogue, name: str) -> Choice:
    if not name.startswith(HUB_PREFIX):
        return registry.resolve(name)
    from zoo.weights.resolve import resolve_name  # deferred: only the Hub takes what fetches

    return resolve_name(registry, name)


def _aliases(registry: Catalogue, choice: Choice) -> list[str]:
    names = (choice.entry.name, choice.entry.qualified)
    return [
        alias for alias, target in registry.aliases.items() if target.partition(".")[0] in names
    ]


def _shortest(registry: Catalogue, choice: Choice) -> str:
    """The shortest name that resolves to this choice."""
    entry = choice.entry
    if entry.place:
        return entry.place
    rows = registry.rows_of(entry.qualified)
    if not rows and entry.plugin.startswith(HUB_PREFIX):
        return entry.qualified
    name = registry.display_name(rows[0])
    return name if choice.weights is entry.card.default_weights() else f"{name}.{choice.tag}"


def _facts(registry: Catalogue, choice: Choice) -> dict[str, object]:
    entry = choice.entry
    return {
        "name": entry.name,
        "plugin": entry.plugin,
        "qualified": entry.qualified,
        "tag": choice.tag,
        "aliases": _aliases(registry, choice),
        "origin": entry.origin,
        "line": entry.line,
        "card": entry.card,
    }


def _page(registry: Catalogue, choice: Choice) -> Iterator[str]:
    entry, card = choice.entry, choice.entry.card
    yield output.Heading(entry.qualified)
    yield from wrap(card.summary or "", _width())
    yield ""
    yield from _row("also called", ", ".join(_aliases(registry, choice)) or None, keep=False)
    yield from _row("architecture", card.architecture)
    yield from _row(
        "arguments",
        ", ".join(f"{name}={value!r}" for name, value in card.arguments.items()) or None,
        keep=False,
    )
    yield from _row("family", card.family)
    yield from _row("paper", card.paper)
    yield from _row("labels", _labels(card))
    yield from _row("input", _input(card.input))
    yield from _row(
        "parameters",
        _with_note(
            None if card.parameters is None else f"{card.parameters:,}", card.parameters_note
        ),
    )
    yield from _row(
        "GFLOPs", _with_note(None if card.gflops is None else f"{card.gflops:g}", card.gflops_note)
    )
    yield from _row("licences", _licenses(card.licenses))
    yield from _row("requires", ", ".join(card.requires) or None, keep=False)
    yield from _row("wraps", card.wraps, keep=False)
    yield from _row("successor", card.successor, keep=False)
    for tag, weights in card.weights.items():
        yield from _weights(card, tag, weights, chosen=tag == choice.tag)
    name = _shortest(registry, choice)
    yield from ["", output.Heading("Use it")]
    python, shell = ("", "") if card.weights else (", weights=False", " --weights random")
    yield from _lines("Python", f'zoo.load("{name}"{python})')
    yield from _lines("shell", f"zoo detect IMAGE --model {quote(name)}{shell}")
    yield from _lines("card", entry.origin + (f", line {entry.line}" if entry.line else ""))


def _weights(card: Card, tag: str, weights: Weights, *, chosen: bool) -> Iterator[str]:
    yield ""
    yield output.Heading(f"Weights {tag}{' (what the name stands for)' if chosen else ''}")
    yield from _row("size", None if weights.megabytes is None else f"{weights.megabytes:g} MB")
    for role, sources in weights.files.items():
        yield from _sources("sources" if role == MODEL else role, sources)
    for format, sources in weights.artifacts.items():
        yield from _sources(format, sources)
    yield from _row("recipe", weights.recipe, keep=False)
    yield from _row(
        "licences", _licenses(card.licenses_of(weights)) if weights.licenses else None, keep=False
    )
    for position, claim in enumerate(weights.claims):
        yield from _lines(
            "claims" if position == 0 else "",
            f"{claim.metric} {format_claim(claim.value)} on {claim.dataset}",
        )
        yield from _row("", claim.source)
    if weights.post_load:
        settings = weights.post_load.items()
        yield from _row("after loading", ", ".join(f"{name} = {value}" for name, value in settings))
    yield from _row("tensors under", weights.state_key, keep=False)
    yield from _row("note", weights.note, keep=False)


def _width() -> int:
    """The width of the page in characters: that of the terminal, up to MAX_WIDTH, but at least wide
    enough for values next to their labels."""
    return max(2 * LABEL_WIDTH, min(MAX_WIDTH, get_terminal_size((MAX_WIDTH, 0)).columns))


def _row(label: str, value: str | None, *, keep: bool = True) -> Iterator[str]:
    """A label and its value, wrapped at spaces; an unknown value is a dash, or nothing without
    `keep`."""
    if value is not None or keep:
        lines = wrap(
            format_text(value),
            _width() - LABEL_WIDTH - 2,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from _lines(label, *lines)


def _lines(label: str, *lines: str) -> Iterator[str]:
    """The lines behind a label, not wrapped, so that addresses can be copied."""
    for line in lines:
        yield f"  {label:{LABEL_WIDTH}}{line}"
        label = ""


def _input(value: Input | None) -> str | None:
    if value is None:
        return None
    parts = [
        RESIZE_TEXTS[value.resize].format(*value.size, padding=value.padding),
        value.channels.upper(),
        f"0..{value.range}",
    ]
    for name, numbers in (("mean", value.mean), ("std", value.std)):
        parts += [f"{name} {' '.join(f'{number:g}' for number in numbers)}"] if numbers else []
    if value.interpolation != "bilinear":
        parts.append(value.interpolation)
    if not value.antialias:
        parts.append("without antialiasing")
    return ", ".join(parts)


def _labels(card: Card) -> str:
    if card.labels == OPEN:
        return "open: name the classes when you load it"
    if isinstance(card.labels, str):
        return f"{card.labels} ({pluralize(len(labels.get(card.labels)), 'class', 'classes')})"
    return f"{len(card.labels)}: {', '.join(card.labels)}"


def _with_note(value: str | None, note: str | None) -> str | None:
    """The value with its note in parentheses."""
    return f"{value} ({note})" if value and note else value


def _licenses(value: Licenses) -> str:
    return ", ".join(
        f"{part} {format_text(name)}" for part, name in msgspec.structs.asdict(value).items()
    )


def _sources(label: str, sources: Sequence[Source]) -> Iterator[str]:
    for source in sources:
        yield from _lines(label, *_source(source))
        label = ""


def _source(source: Source) -> Iterator[str]:
    match source:
        case HubSource():
            yield f"hub: {source.repo}, {source.file}"
            yield f"revision {source.revision}"
        case UrlSource():
            yield source.url
        case PackageSource():
            yield f"package {source.package}: {source.file}"
        case FileSource():
            yield f"file {source.path}"
    yield f"sha256 {source.sha256 or 'unknown'}"
