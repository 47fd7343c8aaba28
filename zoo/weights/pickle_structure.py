"""Checks what a checkpoint's pickle would build, without building it.

torch's restricted unpickler runs no code, but it believes sizes: it fills a record that is too
short with the bytes after it, checks sparse tensors number by number, and hashes nested tuples
whose parts are shared, which takes for ever. A state dict needs none of that.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

MOST_BYTES = 64 << 20
MOST_PARTS = 1 << 22  # of one value, parts that are shared counted each time
# What torch may call to build dense tensors; everything else of torch makes tensors of other kinds,
# or storages of any size.
DENSE = {
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_parameter",
    "_rebuild_parameter_with_state",
    "Size",
    "device",
    "Parameter",
}
# Where torch's restricted unpickler finds what it may call; it refuses everything else by itself.
MODULES = {"torch", "torch._utils", "torch._tensor", "torch.storage", "torch.serialization"}
SIZES = {
    **dict.fromkeys(("ComplexDoubleStorage",), 16),
    **dict.fromkeys(("DoubleStorage", "LongStorage", "ComplexFloatStorage"), 8),
    **dict.fromkeys(("FloatStorage", "IntStorage"), 4),
    **dict.fromkeys(("HalfStorage", "BFloat16Storage", "ShortStorage"), 2),
    **dict.fromkeys(("CharStorage", "ByteStorage", "BoolStorage", "UntypedStorage"), 1),
}


class Refused(ValueError):
    """A pickle that is not to be loaded; the text says why, as a clause."""


class Damaged(Refused):
    """It is not what torch.save wrote any more."""


@dataclass
class Value:
    """A value that a pickle would build. parts: how many it consists of; content: itself, where
    it is plain or a tuple."""

    parts: int = 1
    content: Any = None


@dataclass
class _Machine:
    """The stack of a pickle machine, with values in place of objects."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Value] = field(default_factory=dict)
    storages: dict[str, int] = field(default_factory=dict)

    def pop(self) -> Value:
        """The topmost value."""
        value = self.stack.pop()
        if not isinstance(value, Value):
            raise Damaged("it ends in the middle")
        return value

    def pop_mark(self) -> list[Value]:
        """The values above the last mark."""
        items = []
        while (item := self.stack.pop()) is not None:
            items.append(item)
        return items[::-1]

    def push(self, *parts: Value, content: Any = None) -> None:
        """A value that consists of others."""
        count = 1 + sum(part.parts for part in parts)
        if count > MOST_PARTS:
            raise Refused(f"it unfolds to more than {MOST_PARTS:,} values")
        self.stack.append(Value(count, content))


def storages_of(file: BinaryIO) -> dict[str, int]:
    """The storages that the pickle at this place of a file asks for: key -> bytes.

    Raises:
        Refused: it would take too long, too much memory, or something other than dense tensors.
    """
    machine = _Machine()
    try:
        for operation, argument, position in pickletools.genops(file):
            if (position or 0) > MOST_BYTES:
                raise Refused(f"its pickle is larger than {MOST_BYTES >> 20} MB")
            step = _STEPS.get(operation.name)
            if step:
                step(machine, argument)
            elif operation.name not in _IDLE:
                machine.stack.append(Value(content=argument))
    except Refused:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Damaged("its pickle is damaged") from error
    return machine.storages


_Step = Callable[[_Machine, Any], object]


def _tuple(machine: _Machine, items: list[Value]) -> None:
    machine.push(*items, content=tuple(item.content for item in items) if len(items) < 32 else None)


def _grow(machine: _Machine, items: list[Value]) -> None:
    """Values go into the list, dict or set below."""
    below = machine.pop()
    below.parts += sum(item.parts for item in items)
    if below.parts > MOST_PARTS:
        raise Refused(f"it unfolds to more than {MOST_PARTS:,} values")
    machine.stack.append(below)


def _call(machine: _Machine, _: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    module, _, name = str(function.content or "").rpartition(" ")
    if module in MODULES and name not in DENSE:
        raise Refused(f"what {module}.{name} builds is not a dense tensor")
    machine.push(arguments)


def _build(machine: _Machine, _: Any) -> None:
    _grow(machine, [machine.pop()])


def _storage(machine: _Machine, _: Any) -> None:
    identity = machine.pop().content
    if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
        raise Damaged("its pickle is damaged")
    _, kind, key, _, count = identity[:5]
    size = SIZES.get(str(kind).rpartition(" ")[2])
    if size is None or not isinstance(count, int) or count < 0:
        raise Refused(f"'{kind}' is not a storage of plain numbers")
    machine.storages[str(key)] = max(machine.storages.get(str(key), 0), count * size)
    machine.push()


def _global(machine: _Machine, argument: Any) -> None:
    machine.stack.append(Value(content=argument))


def _stack_global(machine: _Machine, _: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(Value(content=f"{module.content} {name.content}"))


def _put(machine: _Machine, argument: Any) -> None:
    machine.memo[len(machine.memo) if argument is None else argument] = machine.stack[-1]


def _take(count: int) -> Callable[[_Machine], list[Value]]:
    return lambda machine: [machine.pop() for _ in range(count)][::-1]


_STEPS: dict[str, _Step] = {
    "MARK": lambda machine, _: machine.stack.append(None),
    "POP": lambda machine, _: machine.stack.pop() and None,
    "POP_MARK": lambda machine, _: machine.pop_mark() and None,
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "TUPLE": lambda machine, _: _tuple(machine, machine.pop_mark()),
    "EMPTY_TUPLE": lambda machine, _: _tuple(machine, []),
    "TUPLE1": lambda machine, _: _tuple(machine, _take(1)(machine)),
    "TUPLE2": lambda machine, _: _tuple(machine, _take(2)(machine)),
    "TUPLE3": lambda machine, _: _tuple(machine, _take(3)(machine)),
    "LIST": lambda machine, _: machine.push(*machine.pop_mark()),
    "DICT": lambda machine, _: machine.push(*machine.pop_mark()),
    "FROZENSET": lambda machine, _: machine.push(*machine.pop_mark()),
    "APPEND": lambda machine, _: _grow(machine, _take(1)(machine)),
    "APPENDS": lambda machine, _: _grow(machine, machine.pop_mark()),
    "ADDITEMS": lambda machine, _: _grow(machine, machine.pop_mark()),
    "SETITEM": lambda machine, _: _grow(machine, _take(2)(machine)),
    "SETITEMS": lambda machine, _: _grow(machine, machine.pop_mark()),
    "REDUCE": _call,
    "NEWOBJ": _call,
    "BUILD": _build,
    "BINPERSID": _storage,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "MEMOIZE": _put,
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "GET": lambda machine, argument: machine.stack.append(machine.memo[argument]),
    "BINGET": lambda machine, argument: machine.stack.append(machine.memo[argument]),
    "LONG_BINGET": lambda machine, argument: machine.stack.append(machine.memo[argument]),
}
_IDLE = {"PROTO", "FRAME", "STOP"}
