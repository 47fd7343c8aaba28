"""A fingerprint of the code behind predictions: detzoo's and that of the plugins a model is made
of.

An installed wheel is known by its RECORD, which lists a hash of each of its files. Where there is
no such list, as for an editable install, a checkout or a module on the path, the files themselves
are hashed, together with the modules next to them that they import.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import inspect
import os
import sys
import sysconfig
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.file_hashes import hashes
from zoo.evaluate.predictions.stale_code import check_fresh
from zoo.registry import Choice, catalogue
from zoo.registry.distributions import distributions_by_package
from zoo.registry.registrations import Kind

if TYPE_CHECKING:
    from torch import nn

OWN, OWN_DISTRIBUTION = "zoo", "detzoo"
APART = {"cli", "draw", "evaluate", "leaderboard", "testing"}  # of detzoo: they move no prediction
SUFFIXES = {
    *(".py", ".so", ".pyd", ".dll", ".dylib"),
    *(".json", ".yaml", ".yml", ".toml", ".txt", ".cfg", ".ini", ".csv"),
}
_PARTS: tuple[Kind, ...] = ("backbones", "necks", "heads")


def of_choice(choice: Choice) -> str:
    """The fingerprint of the code that builds and runs a named model, as 64 hex digits.

    Raises: UsageError where code has changed since this process imported it.
    """
    registry = catalogue()
    owners = {
        plugin.name: plugin.distribution
        for plugin in registry.plugins
        if plugin.name in _plugins_of(choice)
    }
    modules = {
        module: owner for plugin, owner in owners.items() for module in registry.modules(plugin)
    }
    return _fingerprint(modules)


def of_detector(detector: nn.Module) -> str:
    """The fingerprint of the code of a detector at hand, as 64 hex digits.

    Where its code can't be read any more, as in some interactive sessions, no two are alike.
    Raises: UsageError where code has changed since this process imported it.
    """
    return _of_classes({type(module) for module in detector.modules()})


def of_object(predictor: object) -> str:
    """The fingerprint of the code of a predictor that has no modules, as `of_detector`."""
    return _of_classes(set(type(predictor).__mro__) - {object})


def _of_classes(classes: set[type]) -> str:
    modules = {kind.__module__.partition(".")[0] for kind in classes} - {"torch", "__main__"}
    typed = sorted(_source(kind) for kind in classes if kind.__module__ == "__main__")
    return _fingerprint(dict.fromkeys(modules, ""), typed)


def of_detzoo() -> str:
    """The fingerprint of all of detzoo, what measures and times with it, as 64 hex digits."""
    spec = _spec(OWN)
    if spec is None or _is_library(spec):
        return _fingerprint({})
    files = list(_files(spec))
    return hashlib.sha256(repr(hashes(files)).encode()).hexdigest()


def _plugins_of(choice: Choice) -> set[str]:
    """The plugins whose code a card names: its architecture's and its parts'."""
    registry, card = catalogue(), choice.entry.card
    owners_of = {card.architecture.partition("/")[0]}
    loaded = [plugin.name for plugin in registry.plugins if plugin.status == "loaded"]
    named = {value for value in card.arguments.values() if isinstance(value, str)}
    for kind in _PARTS:
        for part in named:
            owner, _, short = part.rpartition("/")
            owners = [owner] if owner else loaded
            owners_of.update(owner for owner in owners if registry.has(kind, f"{owner}/{short}"))
    return owners_of


def _fingerprint(modules: Mapping[str, str], more: Iterable[str] = ()) -> str:
    """modules: names at the top of their packages, and the distribution of each where it is
    known."""
    digest = hashlib.sha256()
    for name, state in sorted(states_of({OWN: OWN_DISTRIBUTION, **modules}).items()):
        digest.update(f"{name} {state}\n".encode())
    for text in more:
        digest.update(text.encode())
    return digest.hexdigest()


def states_of(modules: Mapping[str, str]) -> dict[str, str]:
    """The files of each module, and of each that these import from the same folder, by name."""
    states: dict[str, str] = {}
    todo = sorted(modules)
    while todo:
        name = todo.pop()
        if name in states or (spec := _spec(name)) is None:
            continue
        state = _library_state(name, spec, modules.get(name, "")) if _is_library(spec) else None
        if state is not None:
            states[name] = state
            continue
        files = [path for path in _files(spec) if name != OWN or not _apart(path, spec)]
        contents = dict(zip(files, hashes(files), strict=True))
        check_fresh(contents)
        states[name] = repr([(_below(path, spec), content) for path, content in contents.items()])
        todo += [] if name == OWN else [name for name in _imports_of(files) if _is_local(name)]
    return states


def _apart(path: Path, spec: ModuleSpec) -> bool:
    """Whether a file of detzoo's own has no part in predictions."""
    return _below(path, spec).partition("/")[0] in APART


def _spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except (ImportError, ValueError):
        return None


def _library_state(name: str, spec: ModuleSpec, distribution: str) -> str | None:
    """A library by the RECORD of its wheel; without one a plugin's is None, and any other's its
    versions."""
    versions = []
    for source in _sources(name, distribution):
        try:
            package = metadata.distribution(source)
            record = package.read_text("RECORD") or ""
        except (metadata.PackageNotFoundError, OSError, ValueError):  # it is gone, or damaged
            continue
        if _lists(record, package, name, spec):
            return f"{package.name} {package.version} {hashlib.sha256(record.encode()).hexdigest()}"
        versions.append(f"{package.name} {package.version}")
    return None if distribution else " ".join([*versions, sys.version])


def _sources(name: str, distribution: str) -> Iterator[str]:
    """The distributions that may have brought a module, the one that says so first."""
    if distribution:
        yield distribution
    yield from _distributions().get(
        name, []
    )  # which takes a while, and is asked for only where that was not it


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The distributions that each module at the top comes from."""
    return distributions_by_package()


def _lists(record: str, distribution: metadata.Distribution, name: str, spec: ModuleSpec) -> bool:
    """Whether the RECORD is of the very file that is imported."""
    rows = (row[0] for row in csv.reader(record.splitlines()) if len(row) > 1 and row[1])
    origin = os.path.realpath(spec.origin or "")
    mine = (row for row in rows if row.partition("/")[0].partition(".")[0] == name)
    return any(os.path.realpath(str(distribution.locate_file(row))) == origin for row in mine)


def _is_library(spec: ModuleSpec) -> bool:
    """Whether it belongs to Python, or lies where pip installs to."""
    if spec.origin in ("built-in", "frozen"):
        return True
    path = os.path.realpath(next(_places(spec), ""))
    if {"site-packages", "dist-packages"} & set(Path(path).parts):
        return True
    return path.startswith(os.path.realpath(sysconfig.get_path("stdlib")) + os.sep)


def _is_local(name: str) -> bool:
    spec = None if name in sys.stdlib_module_names else _spec(name)
    return spec is not None and not _is_library(spec)


def _places(spec: ModuleSpec) -> Iterator[str]:
    """The folders of a package, or the file of a module."""
    if spec.submodule_search_locations is not None:
        yield from spec.submodule_search_locations
    elif spec.origin is not None and os.path.isfile(spec.origin):
        yield spec.origin


def _files(spec: ModuleSpec) -> Iterator[Path]:
    """The files of code, and of settings next to it, in a fixed order."""
    for place in map(Path, _places(spec)):
        if place.is_file():
            yield place
            continue
        for folder, folders, names in os.walk(place):
            folders[:] = sorted(
                folder
                for folder in folders
                if folder != "__pycache__" and not folder.startswith(".")
            )
            paths = (Path(folder, name) for name in sorted(names))
            yield from (path for path in paths if path.suffix in SUFFIXES and path.is_file())


def _below(path: Path, spec: ModuleSpec) -> str:
    """The path inside of the package, which is the same on every machine."""
    inside = (place for place in _places(spec) if path.is_relative_to(place))
    return (
        path.relative_to(next(inside)).as_posix() if spec.submodule_search_locations else path.name
    )


def _imports_of(files: Iterable[Path]) -> set[str]:
    """The modules at the top that these files import, wherever in them."""
    modules: set[str] = set()
    for path in files:
        if path.suffix != ".py":
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):  # what can't be read is not imported either
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules.update(name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    return modules


def _source(typed: type) -> str:
    """The text of a class of `__main__`; something that is never the same where there is none."""
    try:
        return inspect.getsource(typed)
    except (OSError, TypeError):
        return uuid.uuid4().hex
