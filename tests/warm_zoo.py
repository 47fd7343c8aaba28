"""A `zoo` program whose process has torch imported before it begins, as importing it takes longer
than most of what tests ask.

A server imports libraries, and nothing of the zoo; each program is a fork of it, with the caller's
words, folder, environment and open files. It imports the zoo itself and runs it as `python -m zoo`
does. Where the caller's `PYTHONPATH` is another, its folders stand on the path in place of those of
the server. When its threads and exit functions are done, it ends, and takes nothing apart that it
shares. What else a process decides when it starts stays with the tests that start one.
"""

import atexit
import gc
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from textwrap import dedent

LIBRARIES = (
    "PIL.Image",
    "msgspec",
    "yaml",
    "torch",
    "torch._dynamo",  # which the first optimizer of a process imports, in as long as torch takes
    "torchvision",
    "pyarrow.parquet",
    "safetensors.torch",
    "typer.main",
)
AT_START = "PYTHON", "LD_", "LC_", "LANG", "OMP_", "MKL_", "TORCH_"  # read once, at start
PATH = "PYTHONPATH"  # but for this one, whose folders can be put on the path later
CLIENT = """\
    #!{python} -ISE
    import os, signal, socket, struct, sys
    environment = os.environ.copy()
    at_start = {{name: environment[name] for name in environment if name.startswith({names!r})}}
    at_start.pop({path!r}, None)
    if at_start != {same!r}:
        os.execv({python!r}, [{python!r}, "-m", "zoo", *sys.argv[1:]])
    words = [os.getcwd(), str(len(sys.argv)), *sys.argv]
    words += [f"{{name}}={{value}}" for name, value in environment.items()]
    asked = os.fsencode("\\0".join(words))
    with socket.socket(socket.AF_UNIX) as server:
        server.connect({address!r})
        socket.send_fds(server, [struct.pack("<I", len(asked))], [0, 1, 2])
        server.sendall(asked)
        status = struct.unpack("<i", server.recv(4))[0]
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
"""


@contextmanager
def warm_zoo(folder: Path) -> Iterator[Path]:
    """The program, `zoo` in a folder; where no process is forked, the usual one."""
    program = folder / "zoo"
    if sys.platform != "linux":
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m zoo "$@"\n')
        program.chmod(0o755)
        yield program
        return
    address = str(folder / "s")
    same = {name: value for name, value in os.environ.items() if name.startswith(AT_START)}
    same.pop(PATH, None)
    words = {"python": sys.executable, "address": address, "names": AT_START, "path": PATH}
    program.write_text(dedent(CLIENT).format(**words, same=same))
    program.chmod(0o755)
    command = [sys.executable, __file__, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        assert server.stdout.readline() == b"ready\n"
        yield program
        server.stdin.close()  # which ends it


def serve(address: str) -> None:
    """Answers until standard input is closed; returns in each fork that is to be a program."""
    gc.disable()
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # a look for garbage among these would copy them into the fork
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        os.write(1, b"ready\n")
        while listening in select.select([listening, 0], [], [])[0]:
            client, _ = listening.accept()
            with client:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _wait_unless_program(client)
                    words = _received(client)
                    break
        else:
            sys.exit()
    _become(words)


def _wait_unless_program(client: socket.socket) -> None:
    """Returns in a further fork; sends how that ended, and ends."""
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        client.sendall(struct.pack("<i", status))
        os._exit(0)


def _received(client: socket.socket) -> list[str]:
    """What the caller says; its standard streams are those of this process from here on."""
    length, files, _, _ = socket.recv_fds(client, 4, 3)
    asked = client.makefile("rb").read(struct.unpack("<I", length)[0])
    for stream, file in enumerate(files):
        os.dup2(file, stream)
        os.close(file)
    return os.fsdecode(asked).split("\0")


def _become(words: list[str]) -> None:
    """Takes over the folder, the words and the environment of the caller."""
    folder, count, *rest = words
    end = int(count)
    os.chdir(folder)
    sys.argv[:] = rest[:end]
    environment = dict(one.split("=", 1) for one in rest[end:])
    own = _folders(os.environ)
    sys.path[1 : 1 + len(own)] = _folders(environment)
    sys.path[0] = str(Path(sys.argv[0]).parent)
    gc.enable()
    os.environ.clear()
    os.environ.update(environment)
    import_module("numpy").random.seed()
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # noqa: SIM115
        2, "w", 1, errors="backslashreplace", closefd=False
    )


def _folders(environment: Mapping[str, str]) -> list[str]:
    """The folders that an environment puts on the path, as Python does when it starts."""
    named = environment.get(PATH)
    return [os.path.abspath(folder) for folder in named.split(os.pathsep)] if named else []


def run() -> None:
    """The command, until its exit functions have run."""
    codes: list[int] = []
    atexit.register(lambda: _end(codes))  # the first to be registered is the last to be called
    try:
        runpy.run_module("zoo", run_name="__main__", alter_sys=True)
        codes.append(0)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            codes.append(end.code or 0)
        raise


def _end(codes: list[int]) -> None:
    """Ends the process with its exit code, if it has one."""
    if codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(codes[0])


if __name__ == "__main__":
    serve(sys.argv[1])
    run()
