"""Prints one benchmark's table, with the machine and the versions it was measured on; every
benchmark here uses it."""

from __future__ import annotations

import compileall
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent


def compile_project() -> None:
    """Byte code for the zoo and its plugins, as pip makes it for the peers.

    An editable install has none, and where PYTHONDONTWRITEBYTECODE is set every process would make
    it again.
    """
    for folder in ("zoo", "plugins"):
        compileall.compile_dir(ROOT / folder, quiet=2)


def machine() -> str:
    """Processor, cores and memory of this machine."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [
        line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} "
        f"cores, {memory:.0f} GiB"
    )


def versions(*distributions: str) -> str:
    """Python and the named distributions with their versions."""
    return ", ".join(
        [
            f"Python {platform.python_version()}",
            *(f"{name} {version(name)}" for name in distributions),
        ]
    )


def report(
    title: str,
    rows: Sequence[Mapping[str, object]],
    *,
    distributions: Sequence[str],
    notes: Sequence[str] = (),
    to: str | None = None,
) -> None:
    """Prints the rows as a Markdown table, and writes them as JSON to `to` where it is given."""
    columns = list(rows[0])
    cells = [[str(row[name]) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(columns)]
    print(f"{title}\n\n{machine()}; {versions(*distributions)}\n")
    print(
        "| "
        + " | ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True))
        + " |"
    )
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for line in cells:
        print(
            "| "
            + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            + " |"
        )
    print("\n" + "\n".join(notes)) if notes else None
    if to:
        result = {
            "title": title,
            "machine": machine(),
            "versions": versions(*distributions),
            "rows": rows,
            "notes": notes,
        }
        Path(to).write_text(json.dumps(result, indent=2))
