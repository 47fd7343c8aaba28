"""A function of the zoo in a process of its own, which finds modules where this one does and none
in the current folder."""

from __future__ import annotations

import sys

_START = (
    "import sys; from importlib import import_module; count = int(sys.argv[1]); "
    "arguments = sys.argv[2:2 + count]; sys.path[:] = sys.argv[2 + count:]; "
)


def command_for(module: str, function: str, *arguments: str) -> list[str]:
    """The command that calls a function of a module with those arguments."""
    call = f"import_module({module!r}).{function}(*arguments)"
    return [sys.executable, "-P", "-c", _START + call, str(len(arguments)), *arguments, *sys.path]
