"""Runs a preprocess in a second process that never builds a network; all checks share that
process."""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from threading import Lock
from typing import BinaryIO, cast

from torch import Tensor

from zoo.contract import Batch
from zoo.testing.conformance.errors import ConformanceError

_COMMAND = (
    "import sys; sys.path[:] = sys.argv[1:]; from zoo.testing.conformance.other_process import "
    "serve; serve()"
)
_lock = Lock()
_process: subprocess.Popen[bytes] | None = None


def preprocess_elsewhere(pickled: bytes, images: Sequence[Tensor]) -> Batch:
    """The batch that a pickled preprocess makes of images in the other process, on its CPU.

    Raises: ConformanceError if it can't be read or called there.
    """
    with _lock:
        process = _ensure_started()
        try:
            pickle.dump((pickled, list(images)), cast(BinaryIO, process.stdin))
            cast(BinaryIO, process.stdin).flush()
            answer = pickle.load(cast(BinaryIO, process.stdout))
        except (EOFError, OSError) as error:
            _stop()
            raise ConformanceError("Its preprocess ended the process that it ran in.") from error
    if isinstance(answer, str):
        raise ConformanceError(f"In a process without its network, its preprocess raised {answer}.")
    return cast(Batch, answer)


def serve() -> None:
    """Answers requests on standard input until it is closed; whatever a preprocess prints goes to
    standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            pickled, images = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: object = pickle.loads(pickled)(images)
        except Exception as error:  # whatever a family's code raises
            answer = f"{type(error).__name__}: {' '.join(str(error).split()).rstrip('.')}"
        pickle.dump(answer, answers)
        answers.flush()


def _ensure_started() -> subprocess.Popen[bytes]:
    global _process
    if _process is None:
        _process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(_stop)
    return _process


def _stop() -> None:
    global _process
    process, _process = _process, None
    if process is not None:
        process.communicate()
