"""Formats of data sets as they are registered, and as they are used: imported part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, reduce
from importlib import import_module
from typing import Any

from zoo.registry.hookspecs import Build


@dataclass(frozen=True)
class RegisteredFormat:
    """One format as a plugin registered it; see `zoo.registry.hookspecs.RegisterDataset`."""

    read: Build
    suffixes: tuple[str, ...] = ()
    options: type | str | None = None
    write: Build | None = None
    holds: tuple[str, ...] = ()
    recognise: Build | None = None
    images: str = "images"


def import_registered(build: Build) -> Any:
    """Imports what was registered, if that was "package.module:name"."""
    if not isinstance(build, str):
        return build
    module, _, path = build.partition(":")
    return reduce(getattr, path.split("."), import_module(module))


def plain(_verb: str, build: Callable[..., Any]) -> Callable[..., Any]:
    """The callable as it is; code of the core is not watched."""
    return build


@dataclass(frozen=True)
class DatasetFormat:
    """One format, ready for use.

    name:  as it is named in front of a path.
    owner: the distribution that it is of, as `detzoo-voc 1.0`.
    imported, watched: how its plugin's code is imported, and contained when it is called.
    """

    name: str
    owner: str
    registered: RegisteredFormat
    importer: Callable[[Build], Any] = field(default=import_registered, repr=False)
    wrapper: Callable[[str, Callable[..., Any]], Callable[..., Any]] = field(
        default=plain, repr=False
    )

    @property
    def reads_files(self) -> bool:
        """Whether it reads paths, of which it recognises or writes some; `hub` reads names."""
        names = self.registered
        return bool(names.suffixes) or names.recognise is not None or names.write is not None

    @cached_property
    def read(self) -> Callable[..., Any]:
        """The reader. Raises: PluginError where it can't be imported, as for the other two."""
        return self.wrapper("reads", self.importer(self.registered.read))

    @cached_property
    def options(self) -> type | None:
        """The type of its options, or None if it has none."""
        options = self.registered.options
        return self.importer(options) if isinstance(options, str) else options

    @cached_property
    def write(self) -> Callable[..., Any] | None:
        """The writer, or None if it can only be read."""
        write = self.registered.write
        return None if write is None else self.wrapper("writes", self.importer(write))

    @cached_property
    def recognise(self) -> Callable[..., Any] | None:
        """Whether a folder is of this format, or None if it can't say."""
        recognise = self.registered.recognise
        return None if recognise is None else self.wrapper("looks at", self.importer(recognise))
