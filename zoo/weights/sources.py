"""Sources of weights, `hub:org/repo@revision:file`, `https://…`, `package:…` or `file:…`: written
as text, mirrored, and found if they are local.

The longest prefix of a mirror wins, and the mirror is used instead of the original, not before it:
a machine that is to use a mirror often may not reach the original. The file has to be the same one.
A place on the Hub that is mirrored to a web server or a folder keeps the Hub's own layout,
`org/repo/resolve/REVISION/FILE`, so its prefix ends with the repository at the latest, or is the
whole address of one file.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from zoo.environment import expand_home
from zoo.errors import SourceError
from zoo.files import kind_of
from zoo.paths import OutsideFolder, check_relative, inside
from zoo.registry.card import FileSource, HubSource, PackageSource, Source, UrlSource
from zoo.registry.card_checks import host_of
from zoo.weights.records import Checksum

HUB_ADDRESS = re.compile(
    r"hub:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^:\s]+))?(:(?P<file>\S.*))?"
)
COMMIT = re.compile(r"[0-9a-f]{40}")
FAILURE = "{} can't be read."
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


def address_of(source: Source) -> str:
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


def parse_source(text: str) -> Source | HubSpec:
    """A source from text; a place on the Hub may be open.

    Raises:
        SourceError: it is none of the forms.
    """
    kind, _, rest = text.partition(":")
    hub = HUB_ADDRESS.fullmatch(text)
    if hub:
        spec = HubSpec(hub["repo"], hub["revision"], hub["file"])
        return spec.source or spec
    if kind in ("http", "https") and host_of(text):
        return UrlSource(url=text)
    path = _path_of(text) if rest.startswith("//") else rest
    if kind == "file" and path:
        return FileSource(path=path)
    if kind == "package" and "/" in rest:
        package, _, file = rest.partition("/")
        return PackageSource(package=package, file=file)
    raise SourceError(
        f"Weights '{text}' can't be located.",
        "That is not a source of weights.",
        f"Write one of {FORMS}.",
    )


def _path_of(url: str) -> str:
    """The path of a `file://` URL; empty if it is none."""
    try:
        return unquote(urlsplit(url).path)
    except ValueError:  # as in `host_of`
        return ""


def mirrored(source: Source, mirrors: Mapping[str, str]) -> Source:
    """The source to fetch from; the same one where no mirror applies.

    Raises:
        SourceError: the mirror leads to a branch, or to a repository as a whole.
    """
    address = address_of(source)
    replaced = replace_prefix(address, mirrors)
    if replaced == address:
        return source
    other = parse_source(replaced)
    if isinstance(other, HubSpec):
        raise SourceError(
            f"{address:.200} can't be read from its mirror.",
            f"'{replaced:.200}' does not name a file of one commit.",
            "Pin the mirror to a commit: hub:org/repo@COMMIT:",
        )
    return other


def replace_prefix(address: str, mirrors: Mapping[str, str]) -> str:
    """The address behind the longest prefix that matches, or the same address.

    Raises:
        SourceError: the rest of the address would lead out of the mirror's folder, or has no place
            in the mirror's layout.
    """
    prefix = max(filter(address.startswith, mirrors), key=len, default=None)
    if prefix is None:
        return address
    place = mirrors[prefix]
    rest = address.removeprefix(prefix)
    hub = HUB_ADDRESS.fullmatch(address)
    if rest and hub and hub["revision"] and hub["file"] and not place.startswith("hub:"):
        rest = _layout_below(prefix, hub)
    if place.startswith("file:") and ".." in re.split(r"[/\\]", unquote(rest)):
        case = "Its '..' would lead out of the mirror's folder."
        raise SourceError(
            f"{address:.200} can't be read from a mirror.", case, "Correct the address."
        )
    return place + rest


def _layout_below(prefix: str, hub: re.Match[str]) -> str:
    """The part of the Hub's layout that comes after the prefix of a mirror. Raises: SourceError
    where the prefix is longer than the name of the repository."""
    repository = f"hub:{hub['repo']}"
    if not repository.startswith(prefix):
        raise SourceError(
            f"{hub[0]:.200} can't be read from its mirror.",
            f"The mirror's prefix '{prefix:.200}' ends behind the name of the repository.",
            f"End it there, {repository}=PLACE, or give the whole address of the file.",
        )
    return f"{repository}/resolve/{hub['revision']}/{hub['file']}".removeprefix(prefix)


@dataclass(frozen=True)
class Local:
    """A file that belongs to the user or to an installed distribution; it is never written or
    removed."""

    path: Path

    def find(self) -> Path:
        """The file.

        Raises:
            SourceError: it is not there.
        """
        if self.path.is_file():
            return self.path
        case = "There is no such file."
        if self.path.exists():
            case = f"It is {kind_of(self.path)}; a regular file is needed."
        raise SourceError(FAILURE.format(self.path), case, "Check the path.")


def from_file(source: FileSource, *, origin: Path | None) -> Local:
    """A path that a card names, in the folder `origin` (or that of the registry file `origin`) or
    below.

    origin: None for a path that the user typed: it may lead anywhere, from the working folder or
        `~`.

    Raises:
        SourceError: the path leads out of that folder.
    """
    if origin is None:
        return Local(Path.absolute(expand_home(source.path)))
    folder = origin.parent if origin.is_file() else origin
    try:
        return Local(Path.absolute(inside(folder, source.path)))
    except OutsideFolder as error:
        case = f"{error}, and a card names files of its own folder: {folder}."
        fix = 'Put the file there, or load it by hand: weights="file:PATH"'
        raise SourceError(FAILURE.format("The file of a card"), case, fix) from None


def from_package(source: PackageSource) -> Local:
    """A file in the folder of an installed package. Nothing is imported for it, and the working
    folder is not searched.

    Raises:
        SourceError: the package is not installed, or the file is not in its folder.
    """
    failure = FAILURE.format(f"package:{source.package:.80}/{source.file:.80}")
    folders = _package_folders(source.package)
    if not folders:
        case = f"No package '{source.package:.80}' is installed."
        raise SourceError(failure, case, _how_to_install(source.package))
    try:
        paths = [inside(folder, source.file) for folder in folders]
    except OutsideFolder as error:
        raise SourceError(
            failure, f"{error}, the package '{source.package}'.", "Tell the author of the card."
        ) from None
    return Local(next((path for path in paths if path.is_file()), paths[0]))


def _package_folders(package: str) -> list[Path]:
    """The folders of a package, found as an import would find them, without the import."""
    top, *below = package.split(".")
    try:
        check_relative("/".join([top, *below]))
        spec = _spec(top)
    except (OutsideFolder, ImportError, ValueError, AttributeError):
        return []
    locations = (spec.submodule_search_locations if spec else None) or ()
    folders = [Path(location).joinpath(*below) for location in locations]
    return [folder for folder in folders if folder.is_dir()]


def _spec(name: str) -> ModuleSpec | None:
    """The spec of a top-level package: of the imported module, or from `sys.meta_path`."""
    if name in sys.modules:
        return sys.modules[name].__spec__
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        path = _search_path() if finder is PathFinder else None
        spec: ModuleSpec | None = find(name, path) if find else None
        if spec:
            return spec
    return None


def _search_path() -> list[str]:
    """`sys.path` without the working folder, which Python puts first for `python -m`, `python -c`
    and scripts."""
    here = os.getcwd()
    first = [folder for folder in sys.path[:1] if folder not in ("", here)]
    return [*first, *filter(None, sys.path[1:])]


def _how_to_install(package: str) -> str:
    """Advice for a missing package; a name on a card alone is not a reason to install it."""
    from zoo.registry import catalogue

    distribution = catalogue().distribution_of(package.partition(".")[0])
    return (
        f"pip install {distribution}"
        if distribution
        else "Install what brings it, once you know whose it is."
    )


class RemoteSource(Protocol):
    """A source whose file goes by the network, and so is ours to remove and to fetch again."""

    @property
    def revision(self) -> str | None:
        """The commit the file is of, where there are commits."""

    def find(self) -> Path | None:
        """The file, if it is on this machine; opens no socket."""

    def checksums(self) -> tuple[Checksum, ...]:
        """The source's own sha256 of the file that was found."""

    def download(self, *, progress: bool | None) -> Path:
        """The file, fetched, or by now fetched by another process.

        Raises:
            SourceError: the source does not have it, refuses it, or can't be reached.
            CacheError: this machine can't keep it.
        """

    def remove(self, digest: str) -> None:
        """Removes a file that is not what it should be; `digest` is its sha256."""
