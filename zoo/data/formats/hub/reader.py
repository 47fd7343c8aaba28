"""Data sets of the Hub, and folders like them, to a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import structs

from zoo.data.dataset import Dataset
from zoo.data.formats.hub.assembly import dataset_of
from zoo.data.formats.hub.box_format import WORDS
from zoo.data.formats.hub.image_folder import gather_folder
from zoo.data.formats.hub.layout import METADATA, PARQUET, layout_of
from zoo.data.formats.hub.options import HubOptions
from zoo.data.formats.hub.parquet import gather_parquet
from zoo.data.formats.hub.readme import Readme, readme_of
from zoo.data.formats.hub.repository import RepositoryFiles, folder_files, hub_files


def read(path: Path, options: HubOptions) -> Dataset:
    """The data set `ORG/NAME[@REVISION]` of the Hub, pinned to a commit, which its notes name.

    What has to be read is fetched into the cache of the Hub's client, and nothing of a repository
    is ever run. Raises: DataError saying what can't be, NameNotFound for a split or a configuration
    that is not there.
    """
    return _read(hub_files(path.as_posix()), options)


def read_folder(path: Path, options: HubOptions) -> Dataset:
    """The data set of a folder as one has it that was uploaded, or is to be. Raises: as `read`."""
    return _read(folder_files(path), options)


def _read(files: RepositoryFiles, options: HubOptions) -> Dataset:
    readme = readme_of(files)
    options = _with_declared_form(readme, options)
    layout = layout_of(files, readme, config=options.config, split=options.split)
    gather = gather_folder if layout.metadata else gather_parquet
    gathered = gather(files, layout, options)
    if layout.config in readme.info:
        features = [*gathered.features, readme.info[layout.config]]
        gathered = replace(gathered, features=features)
    notes = [f"It was read from {files.address}."] if files.commit else []
    return dataset_of(gathered, files, options, [*notes, *readme.notes])


def _with_declared_form(readme: Readme, options: HubOptions) -> HubOptions:
    """The options with the form of boxes that the README declares, unless a person says another."""
    form = next((word for word in WORDS if word == readme.box_format), None)
    if form is None or options.box_format is not None:
        return options
    return structs.replace(options, box_format=form, fractions=bool(options.fractions))


def recognise(folder: Path) -> bool:
    """Whether a folder has metadata of images, here or a level below, or Parquet files of
    splits."""
    below = [place for place in sorted(folder.iterdir()) if place.is_dir()]
    if any((place / name).is_file() for place in (folder, *below) for name in METADATA):
        return True
    return any(file.suffix == PARQUET for place in (folder, *below) for file in place.iterdir())
