"""Shares of long work in processes of their own, one a core, which know nothing of this one.

They are started with a command rather than forked: a program needs no `if __name__` for them, and
threads do no harm.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import pairwise
from typing import Any, TypeVar, get_type_hints

import msgspec

from zoo.environment import cores
from zoo.own_process import command_for

Task = TypeVar("Task")
Result = TypeVar("Result")


def shares_of(count: int, *, least: int) -> list[slice]:
    """Parts of that many records, at most one a core, and none of fewer than `least` unless there
    is only one."""
    parts = max(min(cores(), count // least), 1)
    edges = [count * number // parts for number in range(parts + 1)]
    return [slice(*edge) for edge in pairwise(edges)]


def spread(work: Callable[[Task], Result], shares: Sequence[Task]) -> list[Result]:
    """The results of `work`, a function of a module, for each share: the first is worked on in this
    process, the others at the same time in ones of their own.

    It takes one argument, and both types in its signature are such that msgspec can write and read
    them. A share whose process ends badly is worked on here, so that errors are raised as if there
    were no processes.
    """
    with ThreadPoolExecutor(max(len(shares) - 1, 1)) as pool:
        processes = [_start(work) for _ in shares[1:]]
        try:
            answers = [
                pool.submit(_answer_of, process, share)
                for process, share in zip(processes, shares[1:], strict=True)
            ]
            results = [work(shares[0])]
            for share, waiting in zip(shares[1:], answers, strict=True):
                reply = waiting.result()
                results.append(work(share) if reply is None else _read(reply, work, "return"))
            return results
        finally:
            for process in processes:
                if process is not None and process.poll() is None:
                    process.kill()


def answer(module: str, function: str) -> None:
    """Runs in a process of its own: reads a share, and writes what is made of it."""
    work = getattr(import_module(module), function)
    [task_parameter, _] = get_type_hints(work)
    share = _read(sys.stdin.buffer.read(), work, task_parameter)
    sys.stdout.buffer.write(msgspec.msgpack.encode(work(share)))


def _read(content: bytes, work: Callable[..., Any], which: str) -> Any:
    """A value of the type that the signature of `work` has for an argument, or for `return`."""
    return msgspec.msgpack.decode(content, type=get_type_hints(work)[which])


def _start(work: Callable[..., Any]) -> subprocess.Popen[bytes] | None:
    """A process that waits for a share; None where none can be started."""
    command = command_for(__name__, answer.__name__, work.__module__, work.__name__)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return None


def _answer_of(process: subprocess.Popen[bytes] | None, share: object) -> bytes | None:
    """The answer of a process to a share; None if it fails."""
    if process is None:
        return None
    try:
        reply, _ = process.communicate(msgspec.msgpack.encode(share))
    except OSError:
        return None
    return reply if process.returncode == 0 else None
