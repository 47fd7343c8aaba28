"""Parses and formats sources: `hub:org/repo@revision:file`, `https://…`, `package:…`, `file:…`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from zoo.errors import SourceError
from zoo.registry.card import FileSource, HubSource, PackageSource, Source, UrlSource

HUB = re.compile(r"hub:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^:\s]+))?(:(?P<file>\S.*))?")
COMMIT = re.compile(r"[0-9a-f]{40}")
FORMS = "file:PATH, hub:org/repo, hub:org/repo@REVISION:FILE or https://…"


@dataclass(frozen=True)
class HubSpec:
    """A place on the Hub as a user writes it: revision and file may be left open."""

    repo: str
    revision: str | None = None
    file: str | None = None

    @property
    def source(self) -> HubSource | None:
        """The pinned source, if nothing is left open."""
        if self.file and self.revision and COMMIT.fullmatch(self.revision):
            return HubSource(repo=self.repo, revision=self.revision, file=self.file)
        return None


def printed(source: Source) -> str:
    """A source as text."""
    match source:
        case HubSource():
            return f"hub:{source.repo}@{source.revision}:{source.file}"
        case UrlSource():
            return source.url
        case PackageSource():
            return f"package:{source.package}/{source.file}"
        case FileSource():
            return f"file:{source.path}"


def parsed(text: str) -> Source | HubSpec:
    """A source from text; a place on the Hub may be open.

    Raises:
        SourceError: it is none of the forms.
    """
    kind, _, rest = text.partition(":")
    hub = HUB.fullmatch(text)
    if hub:
        spec = HubSpec(hub["repo"], hub["revision"], hub["file"])
        return spec.source or spec
    if kind in ("http", "https") and urlsplit(text).hostname:
        return UrlSource(url=text)
    if kind == "file" and rest:
        return FileSource(path=unquote(urlsplit(text).path) if rest.startswith("//") else rest)
    if kind == "package" and "/" in rest:
        package, _, file = rest.partition("/")
        return PackageSource(package=package, file=file)
    raise SourceError(
        f"Weights '{text}' can't be located.",
        "That is not a source of weights.",
        f"Write one of {FORMS}.",
    )
