"""Explains a missing name: the plugin it belongs to, the state of that plugin, and the fix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

from zoo.environment import PLUGINS
from zoo.registry.plugins import PluginInfo
from zoo.registry.registry_file import KnownPlugin

NOBODY = "No loaded plugin or registry file has one."


@dataclass(frozen=True)
class Missing:
    """The second and third part of an error: what is the case, and what to type next."""

    case: str
    fix: str


@dataclass(frozen=True)
class PluginFacts:
    """All that is known of plugins, installed or not.

    infos:  plugin -> how the installed one fared.
    known:  plugin -> what it would bring if it were installed.
    hidden: name -> the plugin that card waits for, which has its architecture and is not there;
        names short and qualified.
    """

    infos: Mapping[str, PluginInfo]
    known: Mapping[str, KnownPlugin]
    hidden: Mapping[str, str]

    def is_loaded(self, plugin: str) -> bool:
        """Whether the plugin works."""
        return plugin in self.infos and self.infos[plugin].status == "loaded"

    def missing(self, plugin: str, name: str) -> Missing | None:
        """Why the plugin `plugin`, or the model `name` where `plugin` is empty, is not there; None
        where nothing explains it."""
        waits_for = self.hidden.get(f"{plugin}/{name}" if plugin else name)
        owner = waits_for or plugin or self._known_owner(name)
        if (
            not owner
            or self.is_loaded(owner)
            or not (waits_for or owner in self.infos or owner in self.known)
        ):
            return None
        info = self.infos.get(owner)
        comes = f"It comes from the plugin '{owner}'"
        if info is None:
            if (
                owner not in self.known
            ):  # any card may name it; that alone does not justify installing it
                return Missing(
                    f"{comes}, which is not installed.",
                    "Install what brings it, once you know whose it is.",
                )
            distribution = self.known[owner].distribution
            return Missing(
                f"It comes from {distribution}, which is not installed.",
                f"pip install {distribution}",
            )
        if info.status == "quarantined":
            case = (
                f"{comes} of {info.distribution} {info.version}, which is quarantined: "
                f"{info.reason}"
            )
            return Missing(case, repair_advice(info.distribution))
        return Missing(
            f"{comes}, which is switched off by {PLUGINS}.",
            f"Add {owner} to {PLUGINS}, or unset it: unset {PLUGINS}",
        )

    def _known_owner(self, name: str) -> str:
        """The known plugin that would bring a model of that name, or nothing."""
        matches = (
            plugin
            for plugin, facts in self.known.items()
            if any(fnmatchcase(name, pattern) for pattern in facts.names)
        )
        return next((plugin for plugin in matches if not self.is_loaded(plugin)), "")


def repair_advice(distribution: str) -> str:
    """The advice for a plugin that does not work: repair the project it was installed from, or
    upgrade it."""
    origin = _origin(distribution)
    url, folder = str(origin.get("url", "")), origin.get("dir_info")
    if not url:
        return f"Repair or upgrade it: pip install --upgrade {distribution}"
    if not isinstance(folder, dict):
        return f"Repair it, or install another version of it; this one is from {url}"
    path = unquote(urlsplit(url).path)
    return (
        f"Repair it in {path}"
        if folder.get("editable")
        else f'Repair it in {path}, then: pip install "{path}"'
    )


def _origin(distribution: str) -> dict[str, object]:
    """The address that pip had it from, if not an index (`direct_url.json`, PEP 610)."""
    # deferred: only mistakes need it
    from importlib.metadata import Distribution, PackageNotFoundError

    try:
        origin = json.loads(
            Distribution.from_name(distribution).read_text("direct_url.json") or "{}"
        )
    except (PackageNotFoundError, ValueError, RecursionError):
        return {}
    return origin if isinstance(origin, dict) else {}
