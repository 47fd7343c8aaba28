"""How commands end: when nobody reads on, when the disk is full, and when threads are left."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zoo.cli.leave import exit_if_output_ended, leave_threads


def broken_pipe(*words: str) -> tuple[int, str]:
    """The exit code and standard error of a command whose output nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *words], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "words",
    [["list"], ["list", "--where=params < 1G"], ["--help"], ["show", "yolox_nano", "--json"]],
)
def test_a_reader_who_left_is_no_failure_to_speak_of(words: list[str]) -> None:
    assert broken_pipe(*words) == (141, "")


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="needs /dev/full, a disk that is always full"
)
@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_output_to_a_full_disk_is_a_sentence(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zoo", *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (
        1,
        "Error: Standard output can't be written: No space left on device.\n",
    )


def test_output_to_a_file_that_may_not_grow_is_a_sentence(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    words = [sys.executable, "-m", "zoo", "--help"]
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            words,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": ""},  # else Python itself drops what is not taken
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        )
    said = f"Error: Standard output can't be written: {os.strerror(errno.EFBIG)}.\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("error", [None, ValueError("wrong"), OSError(errno.EACCES, "no")])
def test_other_errors_end_nothing(
    error: BaseException | None, capfd: pytest.CaptureFixture[str]
) -> None:
    exit_if_output_ended(error)
    os.write(1, b"goes on")  # which would be lost had the output been closed
    assert capfd.readouterr() == ("goes on", "")


def test_without_threads_of_plugins_the_process_ends_by_itself(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    another = threading.Event()
    thread = threading.Thread(target=another.wait)  # nobody's but this process's own
    thread.start()
    leave_threads(7)
    another.set()
    thread.join()
    assert (ended, capfd.readouterr()) == ([], ("", ""))


LEFT = """
import sys, threading, time
from zoo.registry.plugin_messages import Conduct
from zoo.registry.plugin_calls import contain
from zoo.cli import leave

leave.THREAD_GRACE_SECONDS = 0.1
with contain(Conduct("plugin 'lamps' of detzoo-lamps 1.0", "at import")):
    threading.Thread(target=lambda: time.sleep(60), name="glow").start()
print("done")
leave.leave_threads(7)
"""


def test_a_thread_that_a_plugin_left_is_named_and_not_waited_for() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (7, "done\n")
    assert "has left the thread 'glow' running; it is not waited for" in done.stderr
