"""Global state of the process while code of a plugin runs: a table of places that plugins are known
to change is looked at before and after, and threads and exits are watched.

What a place held before is put back. A module that the plugin itself imported first has no before:
there the question is whether a function is still the module's own, and a constant what the module
sets it to.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, reduce
from types import ModuleType
from typing import Any, NoReturn

from zoo import environment
from zoo.printable import printable
from zoo.registry.plugin_messages import HardExit, describe_exception

# Variables that other code than the plugin's listens to.
PREFIXES = (
    "ZOO_",
    "HF_",
    "HUGGINGFACE_",
    "TORCH_HOME",
    "CUDA_VISIBLE_DEVICES",
    "PYTHON",
    "HOME",
    "TMPDIR",
    "http_",
    "https_",
)
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_UNKNOWN = object()
heard_at_exit: list[Callable[[str], None]] = []  # who else is to be told of what goes wrong at exit
Snapshot = dict["Place", Any]


@dataclass(frozen=True, eq=False)
class Place:
    """A piece of global state.

    module: looked at only where it is imported.
    name:   as a reader knows it, or a function from before and now to that.
    read, write: what it holds, and how to put that back.
    usual:  what it holds if unchanged; a function of the module and the value where
        that can be seen of it.
    """

    module: str
    name: str | Callable[[Any, Any], str]
    read: Callable[[ModuleType], Any]
    write: Callable[[ModuleType, Any], None]
    usual: Any = _UNKNOWN


def snapshot() -> Snapshot:
    """The value of every place whose module is imported."""
    held = {place: _read(place) for place in PLACES}
    return {place: value for place, value in held.items() if value is not _UNKNOWN}


def put_back(before: Snapshot) -> Iterator[tuple[str, bool]]:
    """Puts back what has changed since; gives the name of each such place, and whether it could
    be."""
    for place in PLACES:
        now = _read(place)
        was = before.get(place, place.usual)
        if now is _UNKNOWN or was is _UNKNOWN or now is was:
            continue
        judged = place not in before and callable(was)  # by its looks: nobody knows what it was
        if was(sys.modules[place.module], now) if judged else now == was:
            continue
        yield (
            place.name if isinstance(place.name, str) else place.name(was, now),
            not judged and _write(place, was),
        )


def _read(place: Place) -> Any:
    """The value of a place; unknown if its module is not imported, or not wholly."""
    module = sys.modules.get(place.module)
    try:
        return _UNKNOWN if module is None else place.read(module)
    except Exception:  # an import that failed half-way, or a module that somebody replaced
        return _UNKNOWN


def _write(place: Place, value: Any) -> bool:
    try:
        place.write(sys.modules[place.module], value)
    except Exception:
        return False
    return True


def _is_own(module: ModuleType, value: object) -> bool:
    """Whether a function or class was written in the package that offers it, also where a decorator
    gave it another's name."""
    top = module.__name__.partition(".")[0]
    code = getattr(value, "__code__", None)
    if code is None:
        return str(getattr(value, "__module__", None)).lstrip("_").partition(".")[0] in (
            top,
            "None",
            "builtins",
        )
    return str(code.co_filename).startswith(
        (os.path.dirname(getattr(sys.modules[top], "__file__", None) or "?"), "<frozen")
    )


def _attribute(module: str, path: str, *, usual: Any = _is_own) -> Place:
    *parents, last = path.split(".")

    def read(home: ModuleType) -> Any:
        return getattr(reduce(getattr, parents, home), last, None)

    def write(home: ModuleType, value: Any) -> None:
        setattr(reduce(getattr, parents, home), last, value)

    return Place(module, f"{module}.{path}", read, write, usual)


def _setting(module: str, read: str, write: str, name: str, usual: Any = _UNKNOWN) -> Place:
    """A place with a function to read it and one to set it."""
    return Place(
        module,
        name,
        lambda home: getattr(home, read)(),
        lambda home, value: getattr(home, write)(value),
        usual,
    )


def _precision(torch: Any) -> str:
    _hear_its_warning(torch)
    return str(torch.get_float32_matmul_precision())


@cache
def _hear_its_warning(torch: Any) -> None:
    """Takes the warning that torch 2.9 gives the first time this older setting is read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.get_float32_matmul_precision()


def _environment(_: ModuleType) -> dict[str, str]:
    return environment.beginning_with(PREFIXES)


def _set_environment(_: ModuleType, was: dict[str, str]) -> None:
    environment.restore(PREFIXES, was)


def _changed_names(was: dict[str, str], now: dict[str, str]) -> str:
    names = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    return f"{', '.join(names[:3])} in the environment"


def _folder(_: ModuleType) -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _blanket(home: ModuleType) -> list[Any]:
    """The filters that silence all warnings, or make errors of them; those for one message are a
    library's own affair."""
    return [
        filter
        for filter in home.filters
        if filter[0] in ("ignore", "error") and _is_blanket(filter)
    ]


def _is_blanket(filter: tuple[Any, ...]) -> bool:
    return filter[1] is None and filter[3] is None and filter[2] in (Warning, UserWarning)


def _lift_blanket(home: ModuleType, was: list[Any]) -> None:
    for filter in _blanket(home):
        if filter not in was:
            home.filters.remove(filter)


def _set_signals(module: ModuleType, was: list[Any]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in zip(SIGNALS, was, strict=True):
            module.signal(number, handler)


def _logging(module: ModuleType) -> tuple[list[Any], int]:
    root = module.getLogger()
    return list(root.handlers), root.level


def _set_logging(module: ModuleType, was: tuple[list[Any], int]) -> None:
    root = module.getLogger()
    root.handlers[:], root.level = was


PLACES = (
    *(
        _attribute("builtins", name)
        for name in ("print", "open", "input", "__import__", "range", "len")
    ),
    *(_attribute("sys", name) for name in ("excepthook", "displayhook")),
    *(_attribute("json", name) for name in ("loads", "dumps")),
    *(_attribute("socket", name) for name in ("socket", "create_connection", "getaddrinfo")),
    *(_attribute("warnings", name) for name in ("warn", "showwarning")),
    _attribute("time", "sleep"),
    _attribute("threading", "Thread"),
    _attribute("PIL.Image", "open"),
    _attribute("PIL.Image", "Image.resize"),
    _attribute("PIL.Image", "Image.convert"),
    _attribute("PIL.Image", "MAX_IMAGE_PIXELS", usual=1024 * 1024 * 1024 // 4 // 3),
    _attribute("PIL.ImageFile", "LOAD_TRUNCATED_IMAGES", usual=False),
    _attribute("numpy", "load"),
    *(
        _attribute("torch", name)
        for name in ("load", "save", "nn.Module.__call__", "nn.Module.load_state_dict")
    ),
    *(_attribute("torchvision.ops", name) for name in ("nms", "batched_nms")),
    _attribute("torch", "backends.cudnn.benchmark", usual=False),
    _setting(
        "torch", "is_grad_enabled", "set_grad_enabled", "whether torch records gradients", True
    ),
    _setting("torch", "get_default_dtype", "set_default_dtype", "torch's default dtype"),
    Place(
        "torch",
        "torch's precision",
        _precision,
        lambda torch, was: torch.set_float32_matmul_precision(was),
        "highest",
    ),
    _setting("torch", "get_num_threads", "set_num_threads", "torch's number of threads"),
    Place("os", _changed_names, _environment, _set_environment),
    Place("os", "the working folder", _folder, lambda _, was: os.chdir(was) if was else None),
    Place("warnings", "what becomes of warnings", _blanket, _lift_blanket),
    Place(
        "signal",
        "what signals do",
        lambda home: [home.getsignal(number) for number in SIGNALS],
        _set_signals,
    ),
    Place(
        "locale",
        "the locale",
        lambda home: home.setlocale(home.LC_ALL),
        lambda home, was: home.setlocale(home.LC_ALL, was),
    ),
    Place("logging", "the root logger", _logging, _set_logging, ([], 30)),
)


@contextmanager
def noted_threads(ours: set[threading.Thread]) -> Iterator[None]:
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
def no_exit(concerns: Callable[[], bool]) -> Iterator[None]:
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
def watched_exit(whose: str, concerns: Callable[[], bool]) -> Iterator[None]:
    """Wraps what is registered to be called at exit, so that what goes wrong there is named."""
    real = atexit.register

    def register(
        function: Callable[..., Any], /, *arguments: Any, **options: Any
    ) -> Callable[..., Any]:
        real(_AtExit(function, whose) if concerns() else function, *arguments, **options)
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
            with no_exit(lambda: True):
                self.function(*arguments, **options)
        except BaseException as error:
            remark = f"{describe_exception(error)} at exit."
            for hear in heard_at_exit:
                hear(remark)
            if sys.stderr is not None:
                sys.stderr.write(printable(f"Warning: The {self.whose} {remark}") + "\n")
