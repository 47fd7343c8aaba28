"""A run that is killed, at any moment, goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.data import Dataset
from zoo.evaluate import predict

KILLED = """
import sys, time
import zoo, zoo.evaluate.predictions.prediction_store
from pathlib import Path
from torch.nn.modules.module import register_module_forward_pre_hook

zoo.evaluate.predictions.prediction_store.SECONDS = 0.0  # a part an image
def wait(module, _):
    if isinstance(module, zoo.Detector):
        time.sleep(0.5)

register_module_forward_pre_hook(wait)
data, weights, to = sys.argv[1:]
zoo.evaluate.predict(
    "yolox_nano", data=data, weights=weights, to=to, batch_size=1,
    protocol=zoo.Protocol(score=0.0, max_boxes=5),
)
"""

PROTOCOL = zoo.Protocol(score=0.0, max_boxes=5)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(
    street: Dataset,
    nano: str,
    tmp_path: Path,
    looked: list[int],
    wait_for: Callable[[Callable[[], bool]], None],
) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, street.truth.name, nano, str(tmp_path)])
    wait_for(lambda: len(list(tmp_path.glob("*.parts/*.parquet"))) >= 2 or child.poll() is not None)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    there = len(list(tmp_path.glob("*.parts/*.parquet")))
    options = {"data": street, "weights": nano, "protocol": PROTOCOL, "batch_size": 1}
    resumed = predict("yolox_nano", to=tmp_path, **options)
    assert (there + sum(looked), len(resumed)) == (6, 6)
    assert 2 <= there < 6
    whole = predict("yolox_nano", to=tmp_path / "whole", **options)
    for column in ("image_ids", "files", "sizes", "starts", "boxes", "scores", "labels"):
        assert getattr(resumed, column).tobytes() == getattr(whole, column).tobytes()
    assert list(tmp_path.glob("*.parts")) == []


EVERY_MOMENT = """
import os, signal, sys, tempfile
from pathlib import Path
import torch
import zoo.evaluate.predictions.prediction_store as runs
from zoo.data import ImageRecord
from zoo.detections import Detections
from zoo.evaluate.predictions import parquet
from zoo.labels import LabelSpace

SPACE = LabelSpace("lamps", ("red", "green"))
RECORDS = [ImageRecord(number, Path(f"{number}.jpg")) for number in range(3)]
FACTS = {"model": "lamps", "data": "street", "protocol": "uniform", "started": "2026-01-01"}

def seen(number):
    boxes = torch.tensor([[0.0, 0, 1, number + 1]] * number).reshape(-1, 4)
    return Detections.of(boxes, [0.5] * number, [0] * number, label_space=SPACE, size=(10, 10))

def whole_run(file):
    if file.exists():
        return
    with runs.locked(runs.PredictionStore(file, dict(FACTS), SPACE.names)) as run:
        run.resume()
        for image in RECORDS:
            if image.id not in run.done():
                run.add(image, seen(image.id))
                run.flush()
        run.finish([2, 0, 1])

def killed_at(moment):
    count = 0
    def wrapped(function):
        def call(*arguments, **options):
            nonlocal count
            for _ in range(2):  # before and after
                if count == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1
                if _ == 0:
                    made = function(*arguments, **options)
            return made
        return call
    os.replace = wrapped(os.replace)
    os.fsync = wrapped(os.fsync)
    runs.shutil.rmtree = wrapped(runs.shutil.rmtree)

def in_child(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]

with tempfile.TemporaryDirectory() as folder:
    whole_run(Path(folder) / "run.parquet")  # what a first run imports is there for every child

moments = 0
while True:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.parquet"
        def first():
            killed_at(moments)
            whole_run(file)
        status = in_child(first)
        if not os.WIFSIGNALED(status):
            break
        moments += 1
        assert in_child(lambda: whole_run(file)) == 0, moments
        made = parquet.read(file)
        assert made.image_ids.tolist() == [2, 0, 1], made
        assert made.starts.tolist() == [0, 2, 2, 3], made
        assert made.boxes[:, 3].tolist() == [3, 3, 2], made
print(moments)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs fork, to be killed at every moment in turn"
)
def test_killed_before_or_after_every_change_on_disk_a_run_ends_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EVERY_MOMENT], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # three parts and the whole, each made durable, moved, and its name made durable; then the parts
    # go
    assert int(done.stdout) == 2 * (3 * 4 + 1)


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is so, for a minute at most."""

    def wait(ready: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not ready() and time.monotonic() < end:
            time.sleep(0.02)

    return wait
