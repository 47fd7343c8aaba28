"""Ctrl-C ends `zoo.evaluate` soon, though its work is done in other threads."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from threading import Event

import pytest

from zoo.evaluate.background import background

EVALUATION = """
    import signal, sys, threading, zoo
    from zoo.evaluate import intervals
    draws = intervals.draws
    def first_draws(*arguments):
        intervals.draws = draws
        print("resampling", flush=True)
        if sys.argv[1:] == ["itself"]:
            threading.Event().wait(0.5)
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        return draws(*arguments)
    intervals.draws = first_draws
    try:
        zoo.evaluate("results.json", data="coco:instances.json", resamples=3_000_000)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def hear_interrupts() -> None:
    """A shell in the background makes its children ignore them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def data(folder: Path) -> None:
    """Writes a data set, and detections that are its boxes."""
    box, ids = [10, 10, 20, 20], range(50)
    instances = {
        "images": [{"id": at, "file_name": f"{at}.jpg", "width": 40, "height": 40} for at in ids],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": at, "image_id": at, "category_id": 1, "bbox": box, "area": 400, "iscrowd": 0}
            for at in ids
        ],
    }
    results = [{"image_id": at, "category_id": 1, "bbox": box, "score": 0.5} for at in ids]
    (folder / "instances.json").write_text(json.dumps(instances))
    (folder / "results.json").write_text(json.dumps(results))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("thread", ["any", "itself"])
def test_an_interrupt_that_any_thread_hears_ends_the_bootstrap_within_seconds(
    tmp_path, thread: str
) -> None:
    data(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", dedent(EVALUATION), thread],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        preexec_fn=hear_interrupts,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "resampling\n"
            if thread == "any":  # the one that the system chooses; else the one that resamples
                time.sleep(0.5)
                process.send_signal(signal.SIGINT)
            began = time.monotonic()
            assert process.stdout.readline() == "interrupted\n"
            assert process.wait(60) == 0
            assert time.monotonic() - began < 5  # a second, and what a busy machine adds
        finally:
            process.kill()


@pytest.mark.parametrize(("error", "waits"), [(KeyboardInterrupt, False), (ValueError, True)])
def test_an_interrupt_waits_for_no_thread_and_an_error_does(
    error: type[BaseException], waits: bool
) -> None:
    stop, going, ended = Event(), Event(), Event()

    def work() -> None:
        going.wait(0.2)
        ended.set()

    def interrupted() -> None:
        with background(1, stop) as pool:
            pool.submit(work)
            raise error

    with pytest.raises(error):
        interrupted()
    assert (ended.is_set(), stop.is_set()) == (waits, not waits)
    going.set()
