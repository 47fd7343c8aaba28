"""A running cluster, as `--cluster ray://HOST:PORT` names it: a real head with its client server,
machines that end, and the bits of one process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.running import SETTINGS, Head, head
from tests.evaluate.predictions.nano_run import same
from zoo.evaluate import Predictions

pytestmark = pytest.mark.slow


def wait_for(what: Callable[[], object], run: subprocess.Popen[str]) -> None:
    """Waits until it is so, while the run goes on."""
    until = time.monotonic() + 120
    while not what():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def predicting(scenes: str, to: Path, cluster: Head) -> subprocess.Popen[str]:
    """A run on the cluster."""
    command = ["predict", "yolox_pico", "--data", scenes, "--to", str(to), "--batch-size", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *command, "--cluster", cluster.address],
        env=os.environ | SETTINGS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(to: Path, alone: Predictions) -> None:
    """The one file is the run of one process with one thread."""
    [file] = to.glob("*.parquet")
    made = Predictions.read(file)
    assert same(made, alone)
    assert made.provenance["threads"] == "1"


def test_a_run_on_a_running_cluster_is_that_of_one_process(
    scenes: str, alone: Predictions, tmp_path: Path
) -> None:
    with head() as cluster:
        run = predicting(scenes, tmp_path, cluster)
        _, said = run.communicate(timeout=240)
    assert run.returncode == 0, said
    assert said.count("\n") <= 1, said
    check(tmp_path, alone)


def test_a_machine_that_is_killed_costs_its_shard_and_no_bit(
    scenes: str, alone: Predictions, tmp_path: Path
) -> None:
    with head(processors=0) as cluster, cluster.joined() as lost, cluster.joined():
        run = predicting(scenes, tmp_path, cluster)
        wait_for(lambda: lost.workers() and list(tmp_path.glob("*.parts")), run)
        lost.kill()
        _, said = run.communicate(timeout=240)
    assert run.returncode == 0, said
    assert said.count("A worker on ") == 1, said
    check(tmp_path, alone)
