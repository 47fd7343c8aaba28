"""Real workers, in processes of their own: they are killed, the command is killed, and the run is
that of one process to the bit."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.cluster.running import is_worker
from tests.evaluate.predictions.nano_run import same
from zoo.cluster import Cluster
from zoo.errors import UsageError
from zoo.evaluate import Predictions, predict


def workers(of: int) -> list[psutil.Process]:
    """The processes below another that look at images."""
    try:
        return [child for child in psutil.Process(of).children(recursive=True) if is_worker(child)]
    except psutil.NoSuchProcess:
        return []


def wait_for(what: Callable[[], object], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.1)


def command(scenes: str, to: Path, *more: str) -> list[str]:
    run = ["predict", "yolox_pico", "--data", scenes, "--to", str(to), "--batch-size", "2"]
    return [sys.executable, "-m", "zoo", *run, *more]


@pytest.mark.slow
def test_workers_that_are_killed_at_random_change_no_bit(
    scenes: str, alone: Predictions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed: list[int] = []
    done = threading.Event()

    def kill() -> None:
        dice = random.Random(3)
        while not done.wait(dice.uniform(0.5, 2.0)) and len(killed) < 2:
            if alive := workers(os.getpid()):
                victim = dice.choice(alive)
                killed.append(victim.pid)
                victim.kill()

    killer = threading.Thread(target=kill, daemon=True)
    with Cluster("local,workers=2") as cluster:
        killer.start()
        made = predict("yolox_pico", data=scenes, batch_size=2, to=tmp_path, cluster=cluster)
        done.set()
        killer.join()
    assert killed
    assert any(message.startswith("A worker on ") for message in caplog.messages)
    assert same(made, alone)
    assert made.provenance["threads"] == "1"
    assert workers(os.getpid()) == []


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_ended_leaves_no_process_and_a_run_that_goes_on(
    scenes: str, alone: Predictions, tmp_path: Path, blow: signal.Signals
) -> None:
    started = subprocess.Popen(
        command(scenes, tmp_path, "--cluster", "local,workers=1"), stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: workers(started.pid))
    below = workers(started.pid)
    time.sleep(1.0)
    started.send_signal(blow)
    _, said = started.communicate(timeout=60)
    wait_for(lambda: not any(is_worker(process) for process in below), seconds=20)
    if blow == signal.SIGINT:
        assert started.returncode == 130, said
        assert "Interrupted." in said
        assert "Traceback" not in said
    subprocess.run(
        command(scenes, tmp_path),
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    [file] = tmp_path.glob("*.parquet")
    assert same(Predictions.read(file), alone)


def test_what_is_no_cluster_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match="neither local nor"):
        predict("yolox_pico", data="coco:nowhere.json", cluster="nearby")
    assert repr(Cluster("local,workers=2")) == "Cluster('local,workers=2')"
