"""A pool says why no worker starts, what is odd on a machine, and what a worker could not say."""

from typing import Any

import pytest

from tests.cluster.in_process import InProcessCluster
from zoo.cluster import pool as pool_module
from zoo.cluster.job import Job, SentModel
from zoo.cluster.pool import Pool
from zoo.contract.protocol import Protocol
from zoo.errors import ClusterError
from zoo.images import Limits


def pool_of(cluster: InProcessCluster, expected: dict[str, str] | None = None) -> Pool:
    import zoo

    model = SentModel(detector=zoo.load("yolox_pico"))
    job = Job("toy", model, Protocol(), dict_of, limits=Limits())
    return cluster.pool(job, expected=expected or {}, contents=lambda roles: {}, most=8)


def dict_of(_: object) -> dict[str, str]:
    return {"torch": "2"}


def test_a_pool_has_no_more_workers_than_the_cluster() -> None:
    cluster = InProcessCluster(workers=3)
    with pool_of(cluster) as pool:
        assert pool.ready().facts == {"torch": "2"}
        assert pool.plan([(10, 10)] * 3) == [[0, 1, 2]]
    assert len(cluster.ray.started) == 3
    assert sorted(cluster.ray.ended) == [0, 1, 2]


def test_a_worker_that_ends_while_it_plans_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    left = [1]

    def dies(step: str, _: object) -> bool:
        left[0] -= step == "plan"
        return step == "plan" and left[0] == 0

    cluster = InProcessCluster(dies=dies)
    with pool_of(cluster) as pool:
        assert pool.plan([(10, 10)]) == [[0]]
    [said] = caplog.messages
    assert said.startswith("A worker on ")
    assert " ended: " in said


def test_a_cluster_without_a_free_processor_is_said_to_be_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "START_SECONDS", 0.0)
    cluster = InProcessCluster()
    monkeypatch.setattr(type(cluster.ray), "wait", lambda *_, **__: ([], []))
    with pool_of(cluster) as pool, pytest.raises(ClusterError, match="0 of 2 CPUs are free"):
        pool.ready()


def test_a_machine_that_computes_otherwise_is_refused() -> None:
    with (
        pool_of(InProcessCluster(), {"torch": "3"}) as pool,
        pytest.raises(ClusterError, match=r"torch 3 \(there: 2\)"),
    ):
        pool.ready()


def test_what_a_worker_raises_outside_of_its_steps_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise ModuleNotFoundError("No module named 'detzoo_toy'")

    from zoo.cluster.worker import ModelWorker

    monkeypatch.setattr(ModelWorker, "prepare", broken)
    with (
        pool_of(InProcessCluster()) as pool,
        pytest.raises(ClusterError, match="Its worker failed: No module named 'detzoo_toy'"),
    ):
        pool.ready()
