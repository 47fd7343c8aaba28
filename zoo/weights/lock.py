"""The lock file `zoo.lock`: what each name resolved to, obeyed by every later load."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from zoo import limits
from zoo.errors import LockError
from zoo.files import write_file
from zoo.registry.card import HubSource, Source
from zoo.registry.schema import plainly
from zoo.weights.disk import saving
from zoo.weights.records import WeightsFile
from zoo.weights.sources import HubSpec, parse_source

HEADER = (
    "# Written by `zoo lock`: what each name stands for. Loads obey it; keep it under version "
    "control.\nversion = 1\n"
)
LOCK_FIX = "If the change is meant, accept it for that model alone: zoo lock NAME"
WRITE_FIX = "Set ZOO_LOCK to a file that can be written."
RELOCK = "Delete it and write it again: zoo lock NAME..."


@dataclass(frozen=True)
class Pin:
    """The file that one name stands for; see `WeightsFile` for the fields."""

    source: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Meta(ge=0)]
    revision: Annotated[str, Meta(pattern="^[0-9a-f]{40}$")] | None = None
    converted: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None

    @classmethod
    def of(cls, fetched: WeightsFile) -> Pin:
        """Pins a fetched file."""
        return cls(
            fetched.source, fetched.sha256, fetched.bytes, fetched.revision, fetched.converted
        )


@dataclass(frozen=True)
class Lock:
    """The pins by entry (`plugin/name.tag`, or a `hub:` place as it was typed), and the file
    they are from."""

    pins: Mapping[str, Pin] = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def read(cls, path: Path) -> Lock:
        """The pins of a file.

        Raises:
            LockError: the file is missing or broken; the message names the line.
        """
        try:
            raw = limits.read(path)
            limits.check_toml(raw)
            text = raw.decode("utf-8")
            document = tomllib.loads(text.replace("\r\n", "\n"))
        except limits.LimitError as error:
            raise LockError(f"The lock file {path} can't be obeyed.", str(error), RELOCK) from error
        except ValueError as error:  # of TOML, which names the line, and of UTF-8
            raise LockError(
                f"The lock file {path} can't be obeyed.", f"It is not TOML: {error}.", RELOCK
            ) from error
        pins = document.get("weights", {})
        if document.get("version") != 1 or not isinstance(pins, dict):
            case = f"It has version {document.get('version')!r}; this zoo reads version 1."
            raise LockError(f"The lock file {path} can't be obeyed.", case, RELOCK)
        return cls(
            {entry: _pin(entry, table, path=path, text=text) for entry, table in pins.items()}, path
        )

    def write(self, path: Path, *, fix: str = WRITE_FIX) -> None:
        """Writes the pins, sorted, so that a change reads well in a diff. Raises: CacheError."""
        tables = [
            f"\n[weights.{_toml(entry)}]\n{_lines(pin)}" for entry, pin in sorted(self.pins.items())
        ]
        with saving(path, fix=fix):
            write_file(path, HEADER + "".join(tables))


def pinned_source(spec: HubSpec, pin: Pin) -> Source | HubSpec:
    """The source that the lock file gives for a place on the Hub. Raises: LockError where it is
    elsewhere."""
    place = parse_source(pin.source)
    if not isinstance(place, HubSource) or place.repo != spec.repo:
        case = f"The lock file says {pin.source[:200]}, which is not a commit of hub:{spec.repo}."
        raise LockError(f"The lock file was obeyed for hub:{spec.repo}.", case, LOCK_FIX)
    return place


def _pin(entry: str, table: object, *, path: Path, text: str) -> Pin:
    try:
        return msgspec.convert(table, Pin)
    except msgspec.ValidationError as error:
        heads = (f"[weights.{_toml(entry)}]", f"[weights.'{entry}']", f"[weights.{entry}]")
        line = next(
            (number for number, row in enumerate(text.splitlines(), 1) if row.strip() in heads),
            None,
        )
        where = f"line {line}, " if line else ""
        raise LockError(
            f"The lock file {path} can't be obeyed.",
            f"{path}, {where}'{entry}': {plainly(str(error))}.",
            RELOCK,
        ) from error


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string or number is a TOML one


def _lines(pin: Pin) -> str:
    values = {field.name: getattr(pin, field.name) for field in fields(pin)}
    return "".join(
        f"{name} = {_toml(value)}\n" for name, value in values.items() if value is not None
    )
