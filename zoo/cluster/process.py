"""Process: the class of a worker's process, sent by value, so that it also runs on a machine
without detzoo, and can report that.

It imports nothing of `zoo` before its first call of the worker.
"""

from __future__ import annotations

from typing import Any


class Process:
    """Reports what is installed on its machine, and passes calls on to a `ModelWorker`."""

    def __init__(self) -> None:
        self.worker: Any = None

    def about(self, packages: tuple[str, ...]) -> dict[str, str]:
        """Versions of Python and of those of these distributions that are installed, and the
        machine's name."""
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
        """Calls a method of the worker."""
        from zoo.cluster.worker import ModelWorker

        if self.worker is None:
            self.worker = ModelWorker()
        return getattr(self.worker, method)(*arguments)
