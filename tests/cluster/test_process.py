"""The body of a worker's process travels without detzoo, and hands calls on."""

import subprocess
import sys

import pytest
from ray import cloudpickle

from zoo.cluster import process
from zoo.cluster.process import Process

ELSEWHERE = """
import pickle, sys
sys.modules["zoo"] = None  # it is not installed
about = pickle.loads(sys.stdin.buffer.read())().about(("pip", "no-such-package"))
print(sorted(about))
"""


def test_it_arrives_where_detzoo_is_not_installed() -> None:
    cloudpickle.register_pickle_by_value(process)
    try:
        body = cloudpickle.dumps(Process)
    finally:
        cloudpickle.unregister_pickle_by_value(process)
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], input=body, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"machine" in done.stdout


def test_it_hands_calls_to_a_worker_that_it_makes_once() -> None:
    body = Process()
    with pytest.raises(RuntimeError, match="`prepare` comes first"):
        body.call("plan", [])
    worker = body.worker
    with pytest.raises(RuntimeError, match="`prepare` comes first"):
        body.call("detect", [], [])
    assert body.worker is worker
