"""`zoo plugins`: lists the installed plugins, what they contribute, and why one does not work.

With `--json`, a list of objects: name, distribution, version, entry, status (`loaded`,
`quarantined` or `switched off`), reason, contributes {cards, architectures, backbones, necks,
heads, datasets, engines, trackers: how many it registered}, models (how many are listed), seconds,
imports_torch, remarks (warnings about a plugin that works).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer

from zoo.cli import output
from zoo.cli.format import table
from zoo.errors import UsageError
from zoo.registry import PluginInfo, PluginWarning, catalogue
from zoo.registry.plugins import slowness

DEFAULT_LIMIT_SECONDS = 20.0  # for the process of one plugin
HEADER = ("name", "status", "models", "distribution", "version", "contributes", "seconds")


def plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated",
            help="Ask each in a process of its own, which names those that hang or crash.",
        ),
    ] = False,
    limit: Annotated[
        str | None,
        typer.Option(
            "--limit",
            metavar="SECONDS",
            help="With --isolated: how long each process may take; else 20.",
        ),
    ] = None,
) -> None:
    """Show the installed plugins: what each contributes, how long that took, and why one is
    quarantined.

    ZOO_PLUGINS=a,b loads only those, ZOO_PLUGINS= none. To write one of your own: zoo plugins new
    NAME
    """
    if limit is not None and not isolated:
        raise UsageError(
            "--limit was given.", "It is for --isolated, which was not.", "Add --isolated"
        )
    infos, models = _load_isolated(_seconds(limit)) if isolated else _load_here()
    if as_json:
        facts = [asdict(info) | {"models": models[info.name]} for info in infos]
        output.document(msgspec.json.format(msgspec.json.encode(facts)).decode())
    elif infos:
        output.lines(
            table(HEADER, [_cells(info, models) for info in infos], right=("models", "seconds"))
        )
        remarks = [remark for info in infos for remark in _remarks(info)]
        output.lines(["", *remarks]) if remarks else None
    else:
        output.line("No plugin is installed.", err=True)


def _load_here() -> tuple[Sequence[PluginInfo], Counter[str]]:
    """The plugins as this process loads them, and the number of models of each."""
    with warnings.catch_warnings():
        # the table has the same facts
        warnings.filterwarnings("ignore", "(Skipped|The) plugin", PluginWarning)
        registry = catalogue()
    return registry.plugins, Counter(row.plugin for _, row in registry.rows())


def _load_isolated(limit: float) -> tuple[Sequence[PluginInfo], Counter[str]]:
    """The plugins as a process for each loads them, and the number of models on each one's own
    cards."""
    from zoo.registry.index import indexed_file  # deferred: rarely wanted
    from zoo.registry.isolated import ask_each
    from zoo.registry.registry_file import CORE
    from zoo.registry.shared_catalogue import core_file

    infos = list(ask_each(limit=limit))
    core = Counter(row.plugin for row in indexed_file(core_file(), owner=CORE).rows)
    return infos, Counter(
        {info.name: core[info.name] + info.contributes.get("cards", 0) for info in infos}
    )


def _seconds(text: str | None) -> float:
    """The time limit in seconds. Raises: UsageError if the text is not a number above 0."""
    try:
        seconds = DEFAULT_LIMIT_SECONDS if text is None else float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(
            f"--limit {text:.40} was given.",
            "That is not a number of seconds above 0.",
            "Write --limit 20",
        )
    return seconds


def _cells(info: PluginInfo, models: Counter[str]) -> tuple[str, ...]:
    contributes = ", ".join(
        f"{count} {kind if count > 1 else kind.removesuffix('s')}"
        for kind, count in info.contributes.items()
    )
    loaded = info.status == "loaded"
    return (
        info.name,
        info.status,
        str(models[info.name]) if loaded else "–",
        info.distribution,
        info.version,
        contributes or "–",
        "–" if info.status == "switched off" else f"{info.seconds:.3f}",
    )


def _remarks(info: PluginInfo) -> list[str]:
    remarks = [f"{info.name}: {info.reason}"] if info.reason else []
    remarks += [f"{info.name} {remark}" for remark in info.remarks]
    return [*remarks, f"{info.name}: {slow}"] if (slow := slowness(info)) else remarks
