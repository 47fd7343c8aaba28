"""A running cluster, as `--cluster ray://HOST:PORT` names it: a real head with its client server,
and the bits of one process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.running import SETTINGS, Head, head
from tests.evaluate.predictions.nano_run import same
from zoo.evaluate import Predictions

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[Head]:
    """One head for all tests."""
    with head() as made:
        yield made


def test_a_run_on_a_running_cluster_is_that_of_one_process(
    running: Head, scenes: str, alone: Predictions, tmp_path: Path
) -> None:
    command = ["predict", "yolox_pico", "--data", scenes, "--to", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *command, "--batch-size", "2", "--cluster", running.address],
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") <= 1, done.stderr
    [file] = tmp_path.glob("*.parquet")
    made = Predictions.read(file)
    assert same(made, alone)
    assert made.provenance["threads"] == "1"
