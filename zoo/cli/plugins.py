"""`zoo plugins`: which plugins are installed, what they bring, and why one does not work.

With `--json`, a list of objects: name, distribution, version, entry, status (`loaded`, `quarantined` or `switched off`), reason,
contributes {cards, architectures, backbones, necks, heads, datasets: how many it registered}, models (how many are listed under
it), seconds, imports_torch, remarks (what is odd about one that works).
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer

from zoo.cli import output
from zoo.cli.table import table
from zoo.registry import PluginInfo, PluginWarning, catalogue

SLOW = 0.5  # seconds that importing and registering may take before `zoo plugins` remarks on it
HEADER = ("name", "status", "models", "distribution", "version", "contributes", "seconds")


def plugins(as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """Show the installed plugins: what each contributes, how long that took, and why one is quarantined.

    ZOO_PLUGINS=a,b loads only those, ZOO_PLUGINS= none. To write one of your own: zoo plugins new NAME
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Skipped|The) plugin", PluginWarning)  # the table says so
        known = catalogue()
    models = Counter(row.plugin for _, row in known.rows())
    if as_json:
        infos = [asdict(info) | {"models": models[info.name]} for info in known.plugins]
        output.document(msgspec.json.format(msgspec.json.encode(infos)).decode())
    elif known.plugins:
        output.lines(table(HEADER, [_cells(info, models) for info in known.plugins], right=("models", "seconds")))
        remarks = [remark for info in known.plugins for remark in _remarks(info)]
        output.lines(["", *remarks]) if remarks else None
    else:
        output.line("No plugin is installed.", err=True)


def _cells(info: PluginInfo, models: Counter[str]) -> tuple[str, ...]:
    contributes = ", ".join(
        f"{count} {sort if count > 1 else sort.removesuffix('s')}" for sort, count in info.contributes.items()
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
    if info.imports_torch:
        remarks.append(f"{info.name}: importing it imports torch, which makes every listing slow.")
    elif info.seconds > SLOW:
        remarks.append(f"{info.name}: importing it took {info.seconds:.1f} s, which every listing waits for.")
    return remarks
