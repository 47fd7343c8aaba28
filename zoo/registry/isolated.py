"""Each plugin asked in a process of its own with a time limit: what no process can contain is
named, and the rest are asked."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from zoo import environment
from zoo.own_process import command_for
from zoo.registry.global_state import heard_at_exit
from zoo.registry.index import indexed_file
from zoo.registry.plugins import PluginInfo, find_plugins, installed_plugins, selected_names
from zoo.registry.registry_file import CORE
from zoo.registry.shared_catalogue import core_file


def ask_each(*, limit: float) -> Iterator[PluginInfo]:
    """Loads every installed plugin in a process of its own, which has `limit` seconds for it.

    A plugin of the same name as one before, or of a damaged distribution, is not started, and none
    that ZOO_PLUGINS leaves out.
    """
    selection = selected_names()
    for info in installed_plugins():
        is_selected = info.status != "quarantined" and (selection is None or info.name in selection)
        yield _ask(info, limit) if is_selected else info


def answer(plugin: str, path: str) -> None:
    """Runs in the process of one plugin: writes a line with its `PluginInfo`, and another for
    what goes wrong at exit."""
    environment.select_plugin(plugin)
    core = indexed_file(core_file(), owner=CORE)
    info = next(candidate.info for candidate in find_plugins(core) if candidate.info.name == plugin)
    file = Path(path)
    file.write_bytes(msgspec.json.encode(info) + b"\n")
    heard_at_exit.append(lambda remark: _add(file, remark))


def _add(file: Path, remark: str) -> None:
    with file.open("ab") as lines:
        lines.write(msgspec.json.encode(remark) + b"\n")


def _ask(info: PluginInfo, limit: float) -> PluginInfo:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer"
        command = command_for(__name__, answer.__name__, info.name, str(path))
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        lines = path.read_bytes().splitlines() if path.exists() else []
    if not lines:
        return replace(
            info,
            status="quarantined",
            reason=_end_of(code, limit),
            seconds=time.perf_counter() - begin,
        )
    reply = msgspec.json.decode(lines[0], type=PluginInfo)
    late = [msgspec.json.decode(line, type=str) for line in lines[1:]]
    if code is None:
        late.append(
            f"keeps its process from ending: {limit:g} s after the start it was still there."
        )
    elif code < 0:
        late.append(f"ends its process with {_signal(-code)} at exit.")
    return replace(reply, remarks=(*reply.remarks, *late))


def _end(process: subprocess.Popen[Any]) -> None:
    """Ends what is left of it, and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (OSError, AttributeError):  # all of it is gone, or this system has no such groups
        process.kill()
    process.wait()


def _end_of(code: int | None, limit: float) -> str:
    """Why the plugin's process gave no answer."""
    if code is None:
        return f"its import did not end within {limit:g} s."
    if code < 0:
        return f"its import ended the process with {_signal(-code)}."
    return f"its import ended the process with the exit code {code}."


def _signal(number: int) -> str:
    try:
        return f"the signal {signal.Signals(number).name}"
    except ValueError:
        return f"the signal {number}"
