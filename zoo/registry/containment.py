"""Runs code of plugins: its side effects (printing, leaving, patching) are
contained as far as one process can.

    conduct = Conduct("plugin 'acme' of detzoo-acme 1.0", "at import")
    with watched(conduct):
        import detzoo_acme
    conduct.remarks  # ["prints at import ('acme 1.0 ready'); that goes to standard error."]

What can't be contained here (an endless import, a crash, `os._exit` while an image is decoded)
takes another process. Where it happens at import, `zoo plugins --isolated` names the plugin: it
asks each in a process of its own.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from zoo.printable import printable
from zoo.registry.global_state import put_back, snapshot
from zoo.registry.offline_guard import unplugged
from zoo.registry.output_capture import diverted

MOST = 10  # remarks on one plugin
NAMED = 8  # changed places that one remark lists
SHOWN = 60  # characters of what was printed
_lock = threading.RLock()
heard_at_exit: list[Callable[[str], None]] = []  # who else is to be told of what goes wrong at exit
_running: list[Conduct] = []
_left_running: list[tuple[str, threading.Thread]] = []


class HardExit(SystemExit):
    """`os._exit` was called by a plugin, which would have ended the process without a word."""


class Interrupted(KeyboardInterrupt):
    """Somebody interrupted code of a plugin; the text names it."""


@dataclass(eq=False)
class Conduct:
    """Side effects of a plugin's code.

    whose: the plugin, as messages name it. stage: when, as in `at import`; it may change as the
        work goes on.
    advice: what to do where it never ends.
    """

    whose: str
    stage: str
    advice: str = "To see which plugin takes for ever: zoo plugins --isolated"
    remarks: list[str] = field(default_factory=list)

    def tell(self, what: str, consequence: str) -> None:
        """Remembers a remark: once, and no more than a reader would read."""
        remark = f"{what} {self.stage}; {consequence}"
        if remark not in self.remarks and len(self.remarks) < MOST:
            self.remarks.append(remark)

    def printed(self, text: str) -> None:
        """It wrote to standard output; the first line is enough."""
        if not any(remark.startswith("prints") for remark in self.remarks):
            self.tell("prints", f"that goes to standard error: {' '.join(text.split())[:SHOWN]!r}")

    def closed(self) -> None:
        """It closed or replaced standard output or error."""
        self.tell("closes or replaces a standard stream", "that is undone.")

    def interrupted(self) -> Interrupted:
        """The interrupt to raise in place of one that came while the plugin ran."""
        return Interrupted(f"Interrupted in the {self.whose}, {self.stage}. {self.advice}")


@contextmanager
def watched(conduct: Conduct) -> Iterator[None]:
    """Runs code of a plugin; on the way out everything is as it was before, and the conduct says
    what had to be put back.

    Only one thread at a time is watched: what belongs to the whole process can't be told apart
    otherwise. No connection is made in any thread while the network is switched off.
    """
    begun = threading.current_thread()
    _running.append(conduct)
    try:
        with _alone(conduct, begun):
            yield
    finally:
        _running.remove(conduct)


def running() -> Conduct | None:
    """The plugin whose code runs just now, the innermost of several."""
    return _running[-1] if _running else None


@contextmanager
def _alone(conduct: Conduct, begun: threading.Thread) -> Iterator[None]:
    """Watches the one thread, unless another is being watched already."""
    if not _lock.acquire(blocking=False):
        with unplugged(
            conduct.whose, concerns=lambda: threading.current_thread() is begun, told=conduct.tell
        ):
            yield
        return
    try:
        before, ours = snapshot(), {begun}

        def concerns() -> bool:
            return threading.current_thread() in ours

        try:
            with ExitStack() as stack:
                stack.enter_context(_noted_threads(ours))
                stack.enter_context(
                    diverted(concerns=concerns, printed=conduct.printed, closed=conduct.closed)
                )
                stack.enter_context(_no_exit(concerns))
                stack.enter_context(_watched_exit(conduct, concerns))
                stack.enter_context(unplugged(conduct.whose, concerns=concerns, told=conduct.tell))
                yield
        finally:
            _look_back(conduct, before, ours - {begun})
    finally:
        _lock.release()


def left_running() -> list[tuple[str, threading.Thread]]:
    """The threads that plugins have left running and that would keep the process from ending, with
    whose each is."""
    return [(whose, thread) for whose, thread in _left_running if thread.is_alive()]


def exit_of(why: BaseException) -> str:
    """The call by which a plugin tried to end the process: `sys.exit(0)`, `os._exit(0)`."""
    name = "os._exit" if isinstance(why, HardExit) else "sys.exit"
    return f"{name}({getattr(why, 'code', None)!r:.40})"


def said(why: BaseException) -> str:
    """An exception of a plugin in one line: how it tried to leave, or type and text."""
    if isinstance(why, SystemExit):
        return f"called {exit_of(why)}"
    try:
        text = printable(" ".join(str(why).split()), limit=300)
    except Exception:  # its own __str__ may be at fault
        text = ""
    return f"raised {type(why).__name__}{f': {text}' if text else ''}"


def _look_back(conduct: Conduct, before: dict[Any, Any], started: set[threading.Thread]) -> None:
    changed = list(put_back(before))
    for undone in (True, False):
        if names := [name for name, could in changed if could is undone]:
            what = ", ".join(names[:NAMED])
            if len(names) > NAMED:
                what += f" and {len(names) - NAMED} more"
            conduct.tell(
                f"changes {what}",
                "that is undone." if undone else "that can't be undone in this process.",
            )
    for thread in threading.enumerate():
        if thread in started and not thread.daemon:
            _left_running.append((conduct.whose, thread))
            conduct.tell(
                f"leaves the thread '{thread.name:.40}' running", "no command waits for it."
            )


@contextmanager
def _noted_threads(ours: set[threading.Thread]) -> Iterator[None]:
    """Adds every thread that one of ours starts; the program around may start others at the same
    time."""
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if threading.current_thread() in ours:
            ours.add(thread)
        real(thread)

    threading.Thread.start = start  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        threading.Thread.start = real  # type: ignore[method-assign]


@contextmanager
def _no_exit(concerns: Callable[[], bool]) -> Iterator[None]:
    """Makes an exception of `os._exit`, but for a child process and threads of others."""
    real, process = os._exit, os.getpid()

    def refuse(code: int) -> NoReturn:
        if os.getpid() == process and concerns():
            raise HardExit(code)
        real(code)

    os._exit = refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = real


@contextmanager
def _watched_exit(conduct: Conduct, concerns: Callable[[], bool]) -> Iterator[None]:
    """Wraps what is registered to be called at exit, so that what goes wrong there is named."""
    real = atexit.register

    def register(
        function: Callable[..., Any], /, *arguments: Any, **options: Any
    ) -> Callable[..., Any]:
        real(_AtExit(function, conduct.whose) if concerns() else function, *arguments, **options)
        return function

    atexit.register = register
    try:
        yield
    finally:
        atexit.register = real


class _AtExit:
    """A function to be called at exit; equal to the one it wraps, so that `atexit.unregister` finds
    it."""

    def __init__(self, function: Callable[..., Any], whose: str) -> None:
        self.function, self.whose = function, whose

    def __eq__(self, other: object) -> bool:
        return bool(self.function == other)

    def __hash__(self) -> int:
        return hash(self.function)

    def __call__(self, *arguments: Any, **options: Any) -> None:
        try:
            with _no_exit(lambda: True):
                self.function(*arguments, **options)
        except BaseException as why:
            remark = f"{said(why)} at exit."
            for hear in heard_at_exit:
                hear(remark)
            if sys.stderr is not None:
                sys.stderr.write(printable(f"Warning: The {self.whose} {remark}") + "\n")
