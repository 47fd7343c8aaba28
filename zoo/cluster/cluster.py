"""Cluster: where models are run that one process is not enough for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from zoo.cluster.address import Address
from zoo.cluster.connection import Connection
from zoo.cluster.library import check_installed
from zoo.errors import UsageError
from zoo.text import type_name

if TYPE_CHECKING:
    from zoo.cluster.job import Job
    from zoo.cluster.pool import Contents, Pool


class Cluster:
    """Many processes: `local`, an own Ray on this machine, or a running one, `ray://HOST:PORT`.

    It is connected when the first model has to be run, and serves one after the other until it is
    closed; a `with` block closes it.

    address: as above, with `,workers=COUNT` (as many as there are processors or GPUs) and
        `,threads=COUNT` of each worker (1) behind it.

    Raises: UsageError for another address; MissingExtra where Ray is not installed.
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
        """The connection, made when it is first asked for. Raises: ClusterError within seconds
        where there is no cluster."""
        if self._connection is None:
            self._connection = Connection(self.address)
        return self._connection

    def close(self) -> None:
        """Lets go of a running cluster, and stops an own one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def pool(self, job: Job, *, expected: dict[str, str], contents: Contents, most: int) -> Pool:
        """The workers of a job.

        expected: facts that each worker has to have. contents: those of the model's files, by role.
        most: workers that there is work for.
        """
        from zoo.cluster.pool import Pool  # deferred: it brings torch

        return Pool(self.connection, job, expected=expected, contents=contents, most=most)


@contextmanager
def opened(cluster: str | Cluster | None) -> Iterator[Cluster | None]:
    """The cluster that is meant; one that was made of an address is closed afterwards."""
    if cluster is None or isinstance(cluster, Cluster):
        yield cluster
        return
    if not isinstance(cluster, str):
        raise UsageError(
            f"cluster={cluster!r:.80} can't be used.",
            f"That is {type_name(cluster)}, no cluster.",
            "Write cluster='local', or cluster='ray://HOST:10001'.",
        )
    with Cluster(cluster) as made:
        yield made
