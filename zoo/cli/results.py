"""JSON lists that detect and video write item by item; a file appears when it is complete."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from zoo.errors import ImageError
from zoo.files import atomic_write, write_errors

STANDARD_OUTPUT = "-"


@contextmanager
def json_list(to: str) -> Iterator[Callable[[object], None]]:
    """A function that appends an item to a JSON list, or to JSON Lines if `to` ends in `.jsonl`.

    The file replaces an older one of its name when the block ends without an error. `-` is standard
    output.

    Raises: ImageError, also on entering, if the file can't be written.
    """
    lines = to.endswith(".jsonl")
    count = 0
    with ExitStack() as stack:
        with _errors_naming(to):
            file = stack.enter_context(_open(to))

        def write(item: object) -> None:
            nonlocal count
            before = "" if lines else ",\n" if count else "[\n"
            count += 1
            with _errors_naming(to):
                file.write(f"{before}{json.dumps(item)}" + ("\n" if lines else ""))

        yield write
        with _errors_naming(to):
            file.write("" if lines else "\n]\n" if count else "[]\n")
            stack.close()


@contextmanager
def _open(to: str) -> Iterator[IO[str]]:
    path = Path(to)
    if to == STANDARD_OUTPUT:
        yield sys.stdout
    else:
        _check_folder(to, path.parent)
        with (  # a link stays a link
            atomic_write(path.resolve()) as draft,
            _closing(draft.open("w", encoding="utf-8")) as file,
        ):
            yield file


@contextmanager
def _closing(file: IO[str]) -> Iterator[IO[str]]:
    """Closes the file; an error of closing does not replace the error of the block."""
    try:
        yield file
    except BaseException:
        with suppress(OSError):
            file.close()
        raise
    file.close()


def _check_folder(to: str, folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise _error(to, f"'{folder}' is not a folder.", "Name a file that can be written.")
    if not folder.exists():
        raise _error(to, f"There is no folder '{folder}'.", f"Make it first: mkdir -p {folder}")


def _errors_naming(to: str) -> AbstractContextManager[None]:
    """Turns an OSError of the block into an ImageError that names the file."""
    error = partial(ImageError, file=to)
    return write_errors(to, error, fix="Name a file that can be written.", failure=_failure(to))


def _failure(to: str) -> str:
    return f"Results can't be written to '{to}'."


def _error(to: str, case: str, fix: str) -> ImageError:
    return ImageError(_failure(to), case, fix, file=to)
