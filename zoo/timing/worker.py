"""A separate process for each model that is timed, so that no other model counts.

It reads the `Variant` to time, then commands, each a line of JSON, and waits between them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from time import perf_counter
from types import TracebackType
from typing import IO, Literal, Self, TypeVar

import msgspec

from zoo import errors
from zoo.errors import DataError, ZooError
from zoo.own_process import command_for
from zoo.timing.timed import Call, Facts, TimedModel, Variant

LEAVING_SECONDS = 10.0
Answer = TypeVar("Answer")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command to a worker: `load`, `warm_up`, `run`, or return the `facts`."""

    do: Literal["load", "warm_up", "run", "facts"]
    batch: int = 1
    calls: int = 1
    seconds: float = 1.0


class Failure(msgspec.Struct, frozen=True):
    """A ZooError of a worker, raised again in the process that sent the command."""

    kind: str
    failure: str
    case: str
    fix: str
    fix_cli: str

    def error(self) -> ZooError:
        """The ZooError, rebuilt."""
        kind = getattr(errors, self.kind, ZooError)
        error: ZooError = kind(self.failure, self.case, self.fix, fix_cli=self.fix_cli)
        return error


class Worker:
    """The process that times one model; leaving the block ends it."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.started: float | None = None  # seconds from its start to its first boxes
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._begin = perf_counter()
        self._process = subprocess.Popen(
            command_for(__name__, main.__name__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def load(self) -> None:
        """Loads the model and detects in one image. Raises: what loading raises."""
        self._send(msgspec.json.encode(self.variant))
        self._ask(Command(do="load"), float)
        self.started = perf_counter() - self._begin

    def warm_up(self, batch: int, *, calls: int, seconds: float) -> bool:
        """See `TimedModel.warm_up`."""
        return self._ask(Command(do="warm_up", batch=batch, calls=calls, seconds=seconds), bool)

    def run(self, batch: int, *, calls: int, seconds: float) -> list[Call]:
        """See `TimedModel.run`."""
        return self._ask(Command(do="run", batch=batch, calls=calls, seconds=seconds), list[Call])

    def facts(self) -> Facts:
        """See `TimedModel.facts`."""
        return self._ask(Command(do="facts"), Facts)

    def close(self) -> None:
        """Ends the process."""
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        self.close()

    def _ask(self, command: Command, kind: type[Answer]) -> Answer:
        """The worker's answer. Raises: its ZooError; DataError with its last line on standard error
        if it ended."""
        self._send(msgspec.json.encode(command))
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._end_error()
        if line.startswith(b"-"):
            raise msgspec.json.decode(line[1:], type=Failure).error()
        return msgspec.json.decode(line[1:], type=kind)

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # `_ask` reports that it ended
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def _end_error(self) -> DataError:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        case = lines[-1] if lines else f"The process ended with {code}."
        fix = "Run it once on its own: zoo detect IMAGE --model NAME"
        return DataError(f"'{self.variant.model}' can't be timed.", case, fix)


def main() -> None:
    """Runs the commands on standard input until it is closed."""
    with suppress(KeyboardInterrupt):
        _answer_all()


def _answer_all() -> None:
    """Writes the answers to standard output; whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lines = iter(sys.stdin.buffer.readline, b"")
    variant = msgspec.json.decode(next(lines), type=Variant)
    model: TimedModel | None = None
    for line in lines:
        command = msgspec.json.decode(line, type=Command)
        try:
            if model is None:
                model = TimedModel(variant)
            answer = b"+" + msgspec.json.encode(_answer(model, command))
        except ZooError as error:
            failure = Failure(
                type(error).__name__, error.failure, error.case, error.fix, error.fix_cli
            )
            answer = b"-" + msgspec.json.encode(failure)
        answers.write(answer + b"\n")
        answers.flush()


def _answer(model: TimedModel, command: Command) -> object:
    if command.do == "facts":
        return model.facts()
    if command.do == "load":
        return model.run(1, calls=1, seconds=0.0)[0].seconds
    act = model.run if command.do == "run" else model.warm_up
    return act(command.batch, calls=command.calls, seconds=command.seconds)
