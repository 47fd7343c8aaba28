"""Finds a model's files on a worker's machine, or stores those that were sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from zoo.cluster.job import AbsentFiles, SentModel
from zoo.environment import home
from zoo.files import write_file
from zoo.weights import WeightsFile
from zoo.weights.records import FileStamp, sha256_of


def locate(model: SentModel, contents: Mapping[str, bytes]) -> SentModel | AbsentFiles:
    """The model with the paths of its files on this machine, or the roles of missing files.

    contents: of files that were sent, by role; they are stored in `$ZOO_HOME/cluster` by their
        hash.
    """
    if model.resolved is None:
        return model
    files = {
        role: file if is_same(file) else _cached_file(file, contents.get(role))
        for role, file in model.resolved.files.items()
    }
    absent = tuple(role for role, file in files.items() if file is None)
    if absent:
        return AbsentFiles(absent)
    here = {role: file for role, file in files.items() if file is not None}
    resolved = replace(model.resolved, files=here)
    origin = resolved.exported_file
    if origin is not None:
        moved = next((file for file in here.values()), None)
        path = str(moved.path) if moved is not None else str(origin)
        entry = replace(resolved.choice.entry, origin=path)
        resolved = replace(resolved, choice=replace(resolved.choice, entry=entry))
    return replace(model, resolved=resolved)


def content_of(file: WeightsFile) -> bytes:
    """Reads a model's file to send it."""
    return file.path.read_bytes()


def is_same(file: WeightsFile) -> bool:
    """Whether this machine has the file at the same path with the same content."""
    path = file.path
    if not path.is_file():
        return False
    if file.stamp is not None and path == file.published and FileStamp.of(path) == file.stamp:
        return True
    return sha256_of(path) == (file.converted or file.sha256)


def _cached_file(file: WeightsFile, content: bytes | None) -> WeightsFile | None:
    """The file in this machine's cache, written there if it was sent; None if it is missing."""
    sha256 = file.converted or file.sha256
    path = home() / "cluster" / sha256[:24] / file.path.name
    if not (path.is_file() and sha256_of(path) == sha256):
        if content is None or hashlib.sha256(content).hexdigest() != sha256:
            return None
        write_file(path, content)
    return replace(file, path=path, published=path, stamp=None, own=True)
