"""Tells whether an error was raised by a signal handler of the program, as a service's that ends
it at SIGTERM."""

from __future__ import annotations

import signal
from types import CodeType


def is_of_signal_handler(error: BaseException) -> bool:
    """Whether a handler that `signal.signal` was given raised it: Python runs handlers between any
    two instructions of the main thread, so also inside a model."""
    handlers = _handler_code()
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def _handler_code() -> set[CodeType]:
    """The code of every handler of the program's own."""
    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    functions = (getattr(handler, "func", handler) for handler in handlers)  # of a partial
    code = (getattr(function, "__code__", None) for function in functions)
    return {each for each in code if isinstance(each, CodeType)}
