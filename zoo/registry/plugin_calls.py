"""Runs code of plugins, at import and as builders: its side effects (printing, leaving, patching)
are contained as far as one process can.

    conduct = Conduct("plugin 'acme' of detzoo-acme 1.0", "at import")
    with contain(conduct):
        import detzoo_acme
    conduct.remarks  # ["prints at import ('acme 1.0 ready'); that goes to standard error."]

What can't be contained here (an endless import, a crash, `os._exit` while an image is decoded)
takes another process. Where it happens at import, `zoo plugins --isolated` names the plugin: it
asks each in a process of its own.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TextIO

from zoo.environment import offline_switch
from zoo.errors import ContractError, UsageError
from zoo.registry.global_state import no_exit, noted_threads, put_back, snapshot, watched_exit
from zoo.registry.offline_guard import refuse_connections
from zoo.registry.plugin_messages import Conduct, Interrupted, PluginWarning, describe_exception

if TYPE_CHECKING:
    from zoo.registry.plugins import PluginInfo

MAX_CHANGES_SHOWN = 8  # changed places that one remark lists
STDOUT = 1
STDERR = 2
SILENT = ("zoo-interrupt",)  # threads that print nothing
Tell = Callable[[str], None]
_lock = threading.RLock()
_running: list[Conduct] = []
_left_running: list[tuple[str, threading.Thread]] = []
_told: set[str] = set()
_heard: list[list[str]] = []


@contextmanager
def contain(conduct: Conduct) -> Iterator[None]:
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
        with _offline_guard(conduct, lambda: threading.current_thread() is begun):
            yield
        return
    try:
        before, ours = snapshot(), {begun}

        def concerns() -> bool:
            return threading.current_thread() in ours

        try:
            with ExitStack() as stack:
                stack.enter_context(noted_threads(ours))
                stack.enter_context(
                    divert_output(
                        concerns=concerns,
                        on_print=conduct.note_output,
                        on_close=conduct.note_closed_stream,
                    )
                )
                stack.enter_context(no_exit(concerns))
                stack.enter_context(watched_exit(conduct.whose, concerns))
                stack.enter_context(_offline_guard(conduct, concerns))
                yield
        finally:
            _look_back(conduct, before, ours - {begun})
    finally:
        _lock.release()


def _offline_guard(conduct: Conduct, concerns: Callable[[], bool]) -> AbstractContextManager[None]:
    """Refuses connections, if the network is switched off."""
    try:
        variable = offline_switch()
    except UsageError:  # the first download says that the setting means nothing
        variable = None
    if variable is None:
        return nullcontext()
    return refuse_connections(variable, conduct.whose, concerns=concerns, tell=conduct.tell)


def left_running() -> list[tuple[str, threading.Thread]]:
    """The threads that plugins have left running and that would keep the process from ending, with
    whose each is."""
    return [(whose, thread) for whose, thread in _left_running if thread.is_alive()]


def _look_back(conduct: Conduct, before: dict[Any, Any], started: set[threading.Thread]) -> None:
    changed = list(put_back(before))
    for undone in (True, False):
        if names := [name for name, could in changed if could is undone]:
            changes = ", ".join(names[:MAX_CHANGES_SHOWN])
            if len(names) > MAX_CHANGES_SHOWN:
                changes += f" and {len(names) - MAX_CHANGES_SHOWN} more"
            conduct.tell(
                f"changes {changes}",
                "that is undone." if undone else "that can't be undone in this process.",
            )
    for thread in threading.enumerate():
        if thread in started and not thread.daemon:
            _left_running.append((conduct.whose, thread))
            conduct.tell(
                f"leaves the thread '{thread.name:.40}' running", "no command waits for it."
            )


def plugin_title(info: PluginInfo) -> str:
    """The plugin as messages name it."""
    return f"plugin '{info.name}' of {info.distribution} {info.version}"


@contextmanager
def at_work(info: PluginInfo, stage: str) -> Iterator[Conduct]:
    """Watches code of a plugin, and warns once of each side effect.

    Raises:
        ContractError: it wanted to end the process; other exceptions are left as they are.
        OfflineError: it wanted to connect while the network is switched off.
        Interrupted: the user interrupted it; the text names the plugin.
    """
    advice = (
        f"No time limit holds for it. If it never ends, report it to {info.distribution} "
        f"{info.version}."
    )
    conduct = Conduct(plugin_title(info), stage, advice=advice)
    try:
        with contain(conduct):
            yield conduct
    except Interrupted:  # of a plugin whose code this one called
        raise
    except KeyboardInterrupt as error:
        raise conduct.interrupt_error() from error
    except Exception:
        raise
    except BaseException as error:
        raise ContractError(
            f"Code of the {conduct.whose} was run.",
            f"It {describe_exception(error)} {stage}.",
            report(info),
        ) from error
    finally:
        for remarks in _heard:
            remarks += conduct.remarks
        for remark in conduct.remarks:
            text = f"The {conduct.whose} {remark}"
            if text not in _told:
                _told.add(text)
                warnings.warn(text, PluginWarning, stacklevel=4)


@contextmanager
def collect_remarks() -> Iterator[list[str]]:
    """The remarks on what plugins do meanwhile, each time; warnings tell them once."""
    remarks: list[str] = []
    _heard.append(remarks)
    try:
        yield remarks
    finally:
        _heard.remove(remarks)


def at_call(info: PluginInfo, stage: str, build: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a builder to watch each call; its signature stays that of the one registered."""

    def call(*arguments: Any, **options: Any) -> Any:
        with at_work(info, stage):
            return build(*arguments, **options)

    return update_wrapper(call, build)


def report(info: PluginInfo) -> str:
    """Advice for a defect of a plugin."""
    return f"This is a defect of {info.distribution} {info.version}: report it there."


class Output(io.TextIOBase):
    """Stands in for `sys.stdout`: passes on what other threads write, and sends the rest to
    standard error."""

    def __init__(
        self,
        real: TextIO | None,
        *,
        concerns: Callable[[], bool],
        on_print: Tell,
        on_close: Callable[[], None],
    ) -> None:
        self._real = real
        self._concerns, self._on_print, self._on_close = concerns, on_print, on_close

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the real one says."""
        return getattr(self._real, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> Any:
        """For bytes: standard error's, or the real one for other threads."""
        if not self._concerns():
            return getattr(self._real, "buffer", None)
        self._on_print("bytes")
        return getattr(sys.stderr, "buffer", io.BytesIO())

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The real one's."""
        if self._real is None:
            raise io.UnsupportedOperation("there is no standard output")
        return self._real.fileno()

    def write(self, text: str) -> int:
        """Writes to standard error, and remembers that it did."""
        if not self._concerns():
            return self._real.write(text) if self._real else len(text)
        if text.strip():
            self._on_print(text)
        if sys.stderr is not None:
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes both."""
        for stream in (self._real, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # none there, or gone
                stream.flush()  # type: ignore[union-attr]

    def reconfigure(self, **_: Any) -> None:
        """Nothing can be changed about it."""

    def close(self) -> None:
        """Stays open."""
        self._on_close()

    def rest(self) -> None:
        """From now on nothing is told of it: whoever kept it goes on writing to standard error, and
        it may be thrown away."""
        self._on_print, self._on_close = lambda _: None, lambda: None

    def detach(self) -> Any:
        """Stays whole."""
        self._on_close()
        return self.buffer


@contextmanager
def divert_output(
    *, concerns: Callable[[], bool], on_print: Tell, on_close: Callable[[], None]
) -> Iterator[None]:
    """Sends what is printed meanwhile to standard error, tells the first of it, and leaves standard
    output open as it was.

    concerns: whether the thread that runs is one to divert. What is written beneath Python, by
              libraries and child processes, is diverted where no other thread runs, which may be
              writing there itself.
    """
    real, base, real_input = sys.stdout, sys.__stdout__, sys.stdin
    alone = all(
        thread is threading.current_thread() or thread.name in SILENT
        for thread in threading.enumerate()
    )
    stand_in = Output(real, concerns=concerns, on_print=on_print, on_close=on_close)
    own: Any = stand_in
    with ExitStack() as stack:
        stack.enter_context(_keep_stream_open("stdout", STDOUT, on_close))
        stack.enter_context(_keep_stream_open("stderr", STDERR, on_close))
        if alone:
            stack.enter_context(_descriptor(base, on_print, on_close))
            sys.stdin = io.StringIO()  # a question at import would be asked by every listing
        # Both, since whoever has kept the real one would go on with a closed file.
        sys.stdout = sys.__stdout__ = own  # type: ignore[misc]
        try:
            yield
        finally:
            if sys.stdout is not own or sys.__stdout__ is not own:
                on_close()
            sys.stdout, sys.stdin = real, real_input
            sys.__stdout__ = base  # type: ignore[misc]
            stand_in.rest()


@contextmanager
def _keep_stream_open(name: str, descriptor: int, on_close: Callable[[], None]) -> Iterator[None]:
    """Opens a standard stream again if it is closed or replaced meanwhile: `stdout` or `stderr`,
    and its descriptor."""
    stream_before, base = getattr(sys, name), getattr(sys, f"__{name}__")
    try:
        duplicate = os.dup(descriptor)
    except OSError:  # there is none
        yield
        return
    try:
        yield
    finally:
        if not _is_same(descriptor, duplicate):
            on_close()
            os.dup2(duplicate, descriptor)
        os.close(duplicate)
        if getattr(sys, name) is not stream_before or getattr(sys, f"__{name}__") is not base:
            on_close()
        again = {
            id(stream): _reopen(stream, descriptor)
            for stream in (stream_before, base)
            if stream is not None and stream.closed
        }
        if again:
            on_close()
        setattr(sys, name, again.get(id(stream_before), stream_before))
        setattr(sys, f"__{name}__", again.get(id(base), base))


def _reopen(stream: TextIO, descriptor: int) -> TextIO:
    """A stream like the one that was closed."""
    return open(descriptor, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)


@contextmanager
def _descriptor(
    base: TextIO | None, on_print: Tell, on_close: Callable[[], None]
) -> Iterator[None]:
    """The same for what is written beneath Python: to a file in memory first, which shows whether
    anything was."""
    if not hasattr(os, "memfd_create") or base is None or base.closed:
        yield
        return
    _flush(base)
    try:
        real = os.dup(STDOUT)
    except OSError:
        yield
        return
    sink = os.memfd_create("stdout")
    os.dup2(sink, STDOUT)
    try:
        yield
    finally:
        _flush(base)
        if not _is_same(STDOUT, sink):
            on_close()
        os.dup2(real, STDOUT)
        os.close(real)
        written = os.pread(sink, 1 << 16, 0)
        os.close(sink)
        if written:
            on_print(written.decode(errors="replace"))
            with suppress(OSError):
                os.write(STDERR, written)


def _is_same(descriptor: int, other: int) -> bool:
    """Whether one descriptor is a copy of the other."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.fstat(other))
    except OSError:  # it is closed
        return False


def _flush(stream: TextIO) -> None:
    with suppress(OSError, ValueError):  # gone, or closed
        stream.flush()
