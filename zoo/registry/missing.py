"""Why a name can't be had: which plugin it belongs to, and what is the matter with that plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from zoo.registry.mending import mending
from zoo.registry.plugins import SETTING, PluginInfo
from zoo.registry.registry_file import KnownPlugin


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

    def loaded(self, plugin: str) -> bool:
        """Whether the plugin works."""
        return plugin in self.infos and self.infos[plugin].status == "loaded"

    def absence(self, plugin: str, name: str) -> Missing | None:
        """Why the plugin `plugin`, or the model `name` where `plugin` is empty, is not there; None
        where nothing explains it."""
        waits_for = self.hidden.get(f"{plugin}/{name}" if plugin else name)
        owner = waits_for or plugin or self._promised(name)
        if (
            not owner
            or self.loaded(owner)
            or not (waits_for or owner in self.infos or owner in self.known)
        ):
            return None
        info = self.infos.get(owner)
        comes = f"It comes from the plugin '{owner}'"
        if info is None:
            if (
                owner not in self.known
            ):  # any card may name it, which is no reason to install what is called so
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
            return Missing(case, mending(info.distribution))
        return Missing(
            f"{comes}, which is switched off by {SETTING}.",
            f"Add {owner} to {SETTING}, or unset it: unset {SETTING}",
        )

    def _promised(self, name: str) -> str:
        """The known plugin that would bring a model of that name, or nothing."""
        matches = (
            plugin
            for plugin, known in self.known.items()
            if any(fnmatchcase(name, pattern) for pattern in known.names)
        )
        return next((plugin for plugin in matches if not self.loaded(plugin)), "")
