"""A running cluster, as `--cluster ray://HOST:PORT` names it: a real head with its client server,
machines that end, and the bits of one process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.running import SETTINGS, head
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


def test_a_machine_that_is_killed_costs_its_shard_and_no_bit(
    scenes: str, alone: Predictions, tmp_path: Path
) -> None:
    command = ["predict", "yolox_pico", "--data", scenes, "--to", str(tmp_path)]
    with head(processors=0) as cluster, cluster.joined() as lost, cluster.joined():
        run = subprocess.Popen(
            [sys.executable, "-m", "zoo", *command, "--batch-size=2", "--cluster", cluster.address],
            env=os.environ | SETTINGS,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: lost.workers() and list(tmp_path.glob("*.parts")), run)
        lost.kill()
        _, said = run.communicate(timeout=240)
    assert run.returncode == 0, said
    assert said.count("A worker on ") == 1, said
    [file] = tmp_path.glob("*.parquet")
    made = Predictions.read(file)
    assert same(made, alone)
    assert made.provenance["threads"] == "1"
