"""Builders: from the name of an architecture, a part or a data set to the callable that makes it,
imported on first use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial, reduce
from importlib import import_module
from typing import Any

from zoo.errors import NameAmbiguous, NameNotFound, OfflineError, PluginError, ZooError
from zoo.registry.dataset_format import DatasetFormat
from zoo.registry.hookspecs import Build
from zoo.registry.missing import PluginFacts, repair_advice
from zoo.registry.plugin_calls import at_call, at_work
from zoo.registry.plugin_messages import describe_exception
from zoo.registry.plugins import Plugin
from zoo.registry.registrations import KINDS, WHOLE_FAMILY, Kind
from zoo.suggest import close_matches, did_you_mean, join_or, suggest
from zoo.text import type_name

_PART = re.compile(r"[\w.-]+")


def parts(plugins: Iterable[Plugin], kind: Kind) -> list[str]:
    """Every registered part of one kind as `plugin/name`, sorted; `plugin/*` stands for a whole
    family.

    Raises:
        NameNotFound: there is no such kind.
    """
    _check_kind(kind)
    return sorted(
        f"{plugin.info.name}/{name}"
        for plugin in plugins
        for name in plugin.contribution.builders[kind]
    )


def builder(
    plugins: Iterable[Plugin],
    facts: PluginFacts,
    kind: Kind,
    name: str,
    *,
    plugin: str | None = None,
) -> Callable[..., Any]:
    """The builder of `plugin/name`, or of `name` in `plugin`, or of the one plugin that has such a
    name.

    Of a whole family it is the family's builder with the part's name bound as its first argument.

    Raises:
        NameNotFound, NameAmbiguous: no part, or several plugins' parts, have that name.
        PluginError: the plugin's builder can't be imported.
    """
    owner, registered, short = _find(plugins, facts, kind, name, plugin)
    build = _watched_builder(owner, kind, registered)
    return build if registered == short else partial(build, short)


def dataset_format(plugins: Iterable[Plugin], facts: PluginFacts, name: str) -> DatasetFormat:
    """The data set format of that name. Raises: as `builder`; imports nothing yet."""
    plugin, short, _ = _find(plugins, facts, "datasets", name, None)
    info = plugin.info
    return DatasetFormat(
        name,
        f"{info.distribution} {info.version}",
        plugin.contribution.formats[short],
        partial(_import_builder, plugin, "datasets", short),
        lambda verb, function: at_call(info, f"when it {verb} '{short}'", function),
    )


def dataset_suffixes(plugins: Iterable[Plugin]) -> dict[str, list[str]]:
    """Suffix of files -> the formats `plugin/name` that have it."""
    formats: dict[str, list[str]] = {}
    for plugin in plugins:
        for name, registered in plugin.contribution.formats.items():
            for suffix in registered.suffixes:
                formats.setdefault(suffix, []).append(f"{plugin.info.name}/{name}")
    return formats


def dataset_recognisers(plugins: Iterable[Plugin]) -> list[str]:
    """The formats `plugin/name` that can say whether a folder is theirs."""
    return [
        f"{plugin.info.name}/{name}"
        for plugin in plugins
        for name, registered in plugin.contribution.formats.items()
        if registered.recognise is not None
    ]


def _find(
    plugins: Iterable[Plugin], facts: PluginFacts, kind: Kind, name: str, plugin: str | None
) -> tuple[Plugin, str, str]:
    """The plugin that has a part, what it is registered as there (`*`, a whole family) and the
    part's own name. Raises: NameNotFound, NameAmbiguous."""
    _check_kind(kind)
    plugins = list(plugins)
    owner, _, short = name.rpartition("/") if name.count("/") == 1 else ("", "", name)
    owner = owner or plugin or ""
    failure = f"No '{name}' among the {kind}."
    able = [
        each
        for each in plugins
        if owner in ("", each.info.name) and short in each.contribution.builders[kind]
    ]
    if len(able) > 1:
        names = join_or(f"{each.info.name}/{short}" for each in able)
        raise NameAmbiguous(
            f"'{name}' among the {kind} is ambiguous.",
            "Several plugins have a part of that name.",
            f"Say which: {names}.",
        )
    if able and short != WHOLE_FAMILY:
        return able[0], short, short
    family = next(
        (
            each
            for each in plugins
            if each.info.name == owner and WHOLE_FAMILY in each.contribution.builders[kind]
        ),
        None,
    )
    if family and short and short != WHOLE_FAMILY:
        return family, WHOLE_FAMILY, short
    raise _not_found(failure, parts(plugins, kind), facts, owner, short)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        fix = did_you_mean(kind, KINDS, otherwise=f"There are {', '.join(KINDS)}.")
        raise NameNotFound(f"No kind of part named '{kind}'.", "There is no such kind.", fix)


def _watched_builder(plugin: Plugin, kind: Kind, name: str) -> Callable[..., Any]:
    """The callable itself, imported if it was registered as "package.module:function", and watched
    when it is called."""
    build = _import_builder(plugin, kind, name, plugin.contribution.builders[kind][name])
    return at_call(plugin.info, f"when it builds '{name}'", build)


def _import_builder(plugin: Plugin, kind: Kind, name: str, build: Build) -> Callable[..., Any]:
    """Imports what a plugin registered, if that was "package.module:function"."""
    if not isinstance(build, str):
        return build
    module, _, path = build.partition(":")
    try:
        with at_work(plugin.info, f"when it imports {module}"):
            part = reduce(getattr, path.split("."), import_module(module))
    except (MemoryError, OfflineError):
        raise
    except Exception as error:
        if isinstance(error, ZooError) and not isinstance(error.__cause__, SystemExit):
            raise
        case = f"its import {describe_exception(error.__cause__ or error)}"
        raise _broken(plugin, kind, name, build, case) from error
    if not callable(part):
        case = f"that is {type_name(part)}, which can't be called"
        raise _broken(plugin, kind, name, build, case)
    build_part: Callable[..., Any] = part
    return build_part


def _broken(plugin: Plugin, kind: Kind, name: str, build: str, case: str) -> PluginError:
    info = plugin.info
    return PluginError(
        f"'{info.name}/{name}' among the {kind} can't be built.",
        f"The plugin '{info.name}' of {info.distribution} {info.version} builds it with {build}, "
        f"and {case}.",
        repair_advice(info.distribution),
    )


def _not_found(
    failure: str, names: list[str], facts: PluginFacts, owner: str, short: str
) -> NameNotFound:
    if owner and (missing := facts.missing(owner, short)):
        return NameNotFound(failure, missing.case, missing.fix)
    single = [name for name in names if not name.endswith(WHOLE_FAMILY)]
    shorts = {name.partition("/")[2]: name for name in single}
    guesses = close_matches(f"{owner}/{short}", single) or [
        shorts[name] for name in close_matches(short, shorts)
    ]
    if not owner and _PART.fullmatch(short):
        guesses += [
            name.removesuffix(WHOLE_FAMILY) + short for name in names if name.endswith(WHOLE_FAMILY)
        ]
    otherwise = f"There are: {', '.join(names) or 'none, no plugin brings any'}."
    fix = suggest(guesses, otherwise=otherwise)
    return NameNotFound(failure, "No plugin has a part of that name.", fix)
