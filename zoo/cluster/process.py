"""Process: the body of a worker's process, sent by value, so that a machine that has no detzoo can
say so.

Nothing of `zoo` is imported where it arrives until it is asked to work.
"""

from __future__ import annotations

from typing import Any


class Process:
    """Says what is installed where it runs, and hands calls to a `Worker` there."""

    def __init__(self) -> None:
        self.worker: Any = None

    def about(self, packages: tuple[str, ...]) -> dict[str, str]:
        """The versions of these distributions, of those that are there, and the machine's name."""
        import platform
        from importlib import metadata

        versions = {"python": platform.python_version(), "machine": platform.node()}
        for package in packages:
            try:
                versions[package] = metadata.version(package)
            except metadata.PackageNotFoundError:
                continue
        return versions

    def call(self, method: str, *arguments: Any) -> Any:
        """Calls a method of the worker, and returns its answer."""
        from zoo.cluster.worker import Worker

        if self.worker is None:
            self.worker = Worker()
        return getattr(self.worker, method)(*arguments)
