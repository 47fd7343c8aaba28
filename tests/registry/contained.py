"""Work as a plugin does it at import, and the remarks on it."""

import subprocess
import sys
import textwrap
from collections.abc import Callable

from zoo.registry.plugin_calls import contain
from zoo.registry.plugin_messages import Conduct

WHOSE = "plugin 'acme' of detzoo-acme 1.0"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def remarks_on(work: Callable[[], object]) -> list[str]:
    """The remarks on some work that a plugin does when it is imported."""
    conduct = Conduct(WHOSE, "at import")
    with contain(conduct):
        work()
    return conduct.remarks


def alone(code: str) -> "subprocess.CompletedProcess[str]":
    """What a process of its own makes of `do` in the code: descriptors, standard input and forks
    are for a process without other tests' threads."""
    watch = """
from zoo.registry.plugin_messages import Conduct
from zoo.registry.plugin_calls import contain
conduct = Conduct("plugin 'chatty' of detzoo-chatty 1.0", "at import")
with contain(conduct):
    do()
print(*conduct.remarks, sep="\\n")
"""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code) + watch],
        input="an answer\n",
        capture_output=True,
        text=True,
    )
