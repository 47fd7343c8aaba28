"""The process's one catalogue: read on first use, kept, and read again after `reload` or `add`."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

from zoo.environment import bundle_folder, expand_home, registry_files
from zoo.errors import PluginError
from zoo.paths import OutsideFolder, inside
from zoo.registry.catalogue import Catalogue
from zoo.registry.index import indexed_file
from zoo.registry.plugin_messages import PluginWarning
from zoo.registry.plugins import complaints, find_plugins
from zoo.registry.registry_file import CORE, USER, Alias, RegistryFile, first_duplicate
from zoo.registry.summary import CardSummary
from zoo.registry.yaml_document import flaw
from zoo.suggest import close_matches, suggest

PACKAGE = Path(__file__).parent.parent


class Shared:
    """State that all threads of a process share."""

    lock = threading.RLock()
    catalogue: Catalogue | None = None
    added: tuple[Path, ...] = ()
    reading = False


def catalogue() -> Catalogue:
    """Every model, alias and part there is: the core's file, the plugins', the user's
    (ZOO_REGISTRY, `add`, ZOO_BUNDLE).

    Warns with PluginWarning of each plugin that had to be left out.

    Raises:
        CardError: the core's or a user's registry file is invalid; the message names file, line and
            field.
    """
    with Shared.lock:
        if Shared.catalogue is not None:
            return Shared.catalogue
        if Shared.reading:
            raise PluginError(
                "A plugin's hook asked for the catalogue.",
                "It is just being read.",
                "Ask for it outside of hooks.",
            )
        Shared.reading = True
        try:
            read, warned = _read(Shared.added)
        finally:
            Shared.reading = False
        Shared.catalogue = read
    for text in warned:
        warnings.warn(text, PluginWarning, stacklevel=2)
    return read


def reload() -> None:
    """Forgets the catalogue: the next `catalogue()` reads files, plugins and settings again."""
    with Shared.lock:
        Shared.catalogue = None


def add(path: str | os.PathLike[str]) -> None:
    """Adds a registry file for this process, as if ZOO_REGISTRY named it. Raises CardError, and
    then leaves the file out."""
    file = _absolute(path)
    with Shared.lock:
        before = Shared.added, Shared.catalogue
        Shared.added = (*(other for other in Shared.added if other != file), file)
        Shared.catalogue = None
        try:
            catalogue()
        except BaseException:
            Shared.added, Shared.catalogue = before
            raise


def core_file() -> Path:
    """The core's registry file: inside the installed package, next to it in a checkout."""
    inside = PACKAGE / "registry.yaml"
    return inside if inside.exists() else PACKAGE.parent / "registry.yaml"


def _user_files() -> list[Path]:
    """The files ZOO_REGISTRY names, separated like those of PATH."""
    return [_absolute(path) for path in registry_files()]


def _carried_file() -> list[Path]:
    """The registry file in the bundle that ZOO_BUNDLE names, if it has one; what the user's files
    name as well is theirs.

    Raises: CardError where it is a link that leads out of the bundle.
    """
    folder = bundle_folder()
    path = _absolute(folder / "registry.yaml") if folder else None
    if folder is None or path is None or not path.exists():
        return []
    try:
        inside(folder, path.name)
    except OutsideFolder as error:
        raise flaw(
            path, f"In the bundle, {error}.", "Copy the bundle to this machine again."
        ) from None
    return [path]


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(expand_home(path)))


def _read(added: Sequence[Path]) -> tuple[Catalogue, list[str]]:
    core = indexed_file(core_file(), owner=CORE)
    users = [indexed_file(path, owner=USER) for path in dict.fromkeys([*_user_files(), *added])]
    if twice := first_duplicate(users, USER):
        raise flaw(
            users[-1].origin,
            f"Your files have the model {twice}.",
            "Rename or remove one of the two.",
        )
    plugins = find_plugins(core)
    own = {name for registry_file in users for name in registry_file.names}
    carried = [indexed_file(path, owner=USER).without(own) for path in _carried_file()]
    registry_files = [
        core,
        *(
            registry_file
            for plugin in plugins
            for registry_file in plugin.contribution.registry_files
        ),
        *users,
        *carried,
    ]
    models = Catalogue(registry_files, plugins)
    complete = all(plugin.info.status == "loaded" for plugin in plugins)
    for registry_file in users:
        for alias in registry_file.listing.aliases:
            _check_alias(models, registry_file, alias, complete=complete)
        unknown = {
            name
            for name in {row.architecture for row in registry_file.rows}
            if not models.has("architectures", name)
        }
        for row in (
            row for row in registry_file.rows if row.architecture in unknown or row.successor
        ):
            _check_row(models, registry_file, row, complete=complete)
    return models, list(complaints(plugins))


def _check_alias(
    models: Catalogue, registry_file: RegistryFile, alias: Alias, *, complete: bool
) -> None:
    """Refuses a user's alias that hides a model, that stands for an alias, or for nothing although
    every plugin is there."""
    field = f"aliases.{alias.name}"
    base, _, tag = alias.target.partition(".")
    if models.is_model(alias.name):
        case = f"The alias hides the model '{alias.name}'."
        raise flaw(registry_file.origin, case, "Rename the alias.", line=alias.line, field=field)
    rows = models.rows_of(base)
    if models.is_alias(base):
        stands = models.aliases.get(base)
        raise flaw(
            registry_file.origin,
            f"'{base}' is itself an alias.",
            f"Name the model it stands for: {stands}" if stands else "Name a model.",
            line=alias.line,
            field=field,
        )
    if rows and tag and not any(tag in row.tags for row in rows):
        case = f"'{base}' has no weights tagged '{tag}'."
        raise flaw(
            registry_file.origin,
            case,
            f"It has: {', '.join(rows[0].tags) or 'none'}.",
            line=alias.line,
            field=field,
        )
    if not rows and complete and not models.missing(base):
        case = f"No model is named '{base}'."
        raise flaw(
            registry_file.origin,
            case,
            "Correct the name (zoo list shows all), or remove the alias.",
            line=alias.line,
            field=field,
        )


def _check_row(
    models: Catalogue, registry_file: RegistryFile, row: CardSummary, *, complete: bool
) -> None:
    """Refuses a user's card whose architecture no plugin has, or whose successor is not a
    model although every plugin is there."""
    at = f"cards.{row.name}"
    if models.rows_of(row.qualified) and not models.has("architectures", row.architecture):
        plugin = row.architecture.partition("/")[0]
        own = [name for name in models.parts("architectures") if name.startswith(f"{plugin}/")]
        alike = close_matches(row.architecture, own) or own
        case = f"The plugin '{plugin}' has no architecture '{row.architecture}'."
        fix = suggest(alike, otherwise="See what it brings: zoo plugins")
        raise flaw(registry_file.origin, case, fix, line=row.line, field=f"{at}.architecture")
    base = (row.successor or "").partition(".")[0]
    if base and complete and not models.rows_of(base) and not models.missing(base):
        case = f"No model is named '{base}'."
        raise flaw(
            registry_file.origin,
            case,
            "Correct the name (zoo list shows all).",
            line=row.line,
            field=f"{at}.successor",
        )
