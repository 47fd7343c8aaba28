"""What code of a plugin prints goes to standard error."""

import subprocess
import sys

CHILD = """
import os, sys
from zoo.registry.output_capture import diverted
told, closed = [], []
with diverted(concerns=lambda: {concerns}, printed=told.append, closed=lambda: closed.append(1)):
    {inside}
print("answer", [text.strip() for text in told if text.strip()], bool(closed), flush=True)
"""


def run(inside: str, concerns: bool = True) -> tuple[str, str]:
    code = CHILD.format(inside=inside, concerns=concerns)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_print_goes_to_standard_error_and_is_told() -> None:
    assert run("print('hello')") == ("answer ['hello'] False\n", "hello\n")


def test_what_is_written_beneath_python_goes_there_too() -> None:
    assert run("os.write(1, b'raw\\n')") == ("answer ['raw'] False\n", "raw\n")


def test_other_threads_print_as_before() -> None:
    out, _ = run("print('mine', flush=True)", concerns=False)
    assert "answer [] False" in out or "answer ['mine'] False" in out


def test_standard_output_is_open_again_whatever_is_closed_or_replaced() -> None:
    for inside in ("sys.stdout.close()", "sys.stdout = None", "os.close(1)"):
        assert run(inside)[0] == "answer [] True\n"


def test_nothing_can_be_asked() -> None:
    assert run("told.append(repr(sys.stdin.read()))")[0] == "answer [\"''\"] False\n"
