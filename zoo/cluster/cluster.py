"""Cluster: runs models on many processes; connects when the first model needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from zoo.cluster.address import Address
from zoo.cluster.connection import Connection
from zoo.cluster.ray_library import check_installed
from zoo.errors import UsageError
from zoo.text import type_name

if TYPE_CHECKING:
    from zoo.cluster.job import Job
    from zoo.cluster.pool import Contents, Pool


class Cluster:
    """Many processes: `local`, a temporary Ray cluster on this machine, or `ray://HOST:PORT`, a
    running one.

    It connects when the first model has to be run, and runs one model after the other until it is
    closed; a `with` block closes it.

    address: as above, followed by `,workers=COUNT` (default: one per processor or GPU) and
        `,threads=COUNT` of each worker (default: 1).

    Raises: UsageError for another address; MissingExtra if Ray is not installed.
    """

    def __init__(self, address: str = "local") -> None:
        self.address = Address.of(address)
        check_installed(client=not self.address.is_local)
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Cluster({self.address.text!r})"

    @property
    def connection(self) -> Connection:
        """The connection, opened at the first access. Raises: ClusterError within seconds if the
        cluster can't be reached."""
        if self._connection is None:
            self._connection = Connection(self.address)
        return self._connection

    def close(self) -> None:
        """Disconnects from a running cluster, or stops a temporary one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def pool(self, job: Job, *, expected: dict[str, str], contents: Contents, most: int) -> Pool:
        """The workers of a job.

        expected: facts that each worker must have.
        contents: reads the model's files of given roles.
        most:     workers that there is work for.
        """
        from zoo.cluster.pool import Pool  # deferred: it brings torch

        return Pool(self.connection, job, expected=expected, contents=contents, most=most)


@contextmanager
def open_cluster(cluster: str | Cluster | None) -> Iterator[Cluster | None]:
    """The cluster; one that was opened by its address is closed afterwards."""
    if cluster is None or isinstance(cluster, Cluster):
        yield cluster
        return
    if not isinstance(cluster, str):
        raise UsageError(
            f"cluster={cluster!r:.80} can't be used.",
            f"That is {type_name(cluster)}, no cluster.",
            "Write cluster='local', or cluster='ray://HOST:10001'.",
        )
    with Cluster(cluster) as temporary:
        yield temporary
