"""Local files: `file:` and `package:` sources, used in place."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from zoo.errors import SourceError
from zoo.files import kind_of
from zoo.paths import OutsideFolder, check_relative, inside
from zoo.registry.card import FileSource, PackageSource

ASKED = "{} can't be read."


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
        raise SourceError(ASKED.format(self.path), case, "Check the path.")


def from_file(source: FileSource, *, origin: Path | None) -> Local:
    """A path that a card names, in the folder `origin` (or that of the registry file `origin`) or
    below.

    origin: None for a path that the user typed: it may lead anywhere, from the working folder or
        `~`.

    Raises:
        SourceError: the path leads out of that folder.
    """
    if origin is None:
        return Local(Path.absolute(Path(source.path).expanduser()))
    folder = origin.parent if origin.is_file() else origin
    try:
        return Local(Path.absolute(inside(folder, source.path)))
    except OutsideFolder as error:
        case = f"{error}, and a card names files of its own folder: {folder}."
        fix = 'Put the file there, or load it by hand: weights="file:PATH"'
        raise SourceError(ASKED.format("The file of a card"), case, fix) from None


def from_package(source: PackageSource) -> Local:
    """A file in the folder of an installed package. Nothing is imported for it, and the working
    folder is not searched.

    Raises:
        SourceError: the package is not installed, or the file is not in its folder.
    """
    asked = ASKED.format(f"package:{source.package:.80}/{source.file:.80}")
    folders = _package_folders(source.package)
    if not folders:
        case = f"No package '{source.package:.80}' is installed."
        raise SourceError(asked, case, _how_to_install(source.package))
    try:
        paths = [inside(folder, source.file) for folder in folders]
    except OutsideFolder as error:
        raise SourceError(
            asked, f"{error}, the package '{source.package}'.", "Tell the author of the card."
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
    first = [one for one in sys.path[:1] if one not in ("", here)]
    return [*first, *(one for one in sys.path[1:] if one)]


def _how_to_install(package: str) -> str:
    """Advice for a missing package; a name on a card alone is not a reason to install it."""
    from zoo.registry import catalogue

    distribution = catalogue().distribution_of(package.partition(".")[0])
    return (
        f"pip install {distribution}"
        if distribution
        else "Install what brings it, once you know whose it is."
    )
