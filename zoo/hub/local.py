"""Files that are on this machine already: `file:` and `package:`, used where they are."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from zoo.errors import SourceError
from zoo.files import kind_of
from zoo.registry.card import FileSource, PackageSource

ASKED = "{} was to be read."


@dataclass(frozen=True)
class Local:
    """A file that belongs to the user or to an installed distribution; it is never written or removed."""

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
    """A path; a relative one is relative to the registry file `origin`, or its folder, or else to the working folder."""
    folder = origin.parent if origin and origin.is_file() else origin or Path()
    return Local(Path.absolute(folder / Path(source.path).expanduser()))


def from_package(source: PackageSource) -> Local:
    """A file inside an installed distribution.

    Raises:
        SourceError: the package is not installed, or can't be imported.
    """
    try:
        return Local(Path(str(resources.files(source.package) / source.file)))
    except Exception as why:  # finding the files of a package imports it, and it may raise what it likes
        case = f"The package '{source.package}' can't be imported: {why}."
        fix = f"Install what it comes with: pip install {source.package.partition('.')[0].replace('_', '-')}"
        raise SourceError(ASKED.format(f"package:{source.package}/{source.file}"), case, fix) from why
