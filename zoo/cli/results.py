"""Files that `zoo detect` writes while it runs, each whole or not at all: JSON lists."""

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
    """A file that becomes a JSON list, item by item; JSON Lines where its name ends in `.jsonl`.

    It takes its name when the block ends well, and until then what had that name stays as it is.
    `-` is standard output.

    Raises: ImageError, on entering as well, for a place that can't be written.
    """
    lines = to.endswith(".jsonl")
    count = 0
    with ExitStack() as stack:
        with _blaming(to):
            file = stack.enter_context(_opened(to))

        def write(item: object) -> None:
            nonlocal count
            before = "" if lines else ",\n" if count else "[\n"
            count += 1
            with _blaming(to):
                file.write(f"{before}{json.dumps(item)}" + ("\n" if lines else ""))

        yield write
        with _blaming(to):
            file.write("" if lines else "\n]\n" if count else "[]\n")
            stack.close()


@contextmanager
def _opened(to: str) -> Iterator[IO[str]]:
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
    """Closes the file; that it can't be closed either does not hide why the block failed."""
    try:
        yield file
    except BaseException:
        with suppress(OSError):
            file.close()
        raise
    file.close()


def _check_folder(to: str, folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise _refused(to, f"'{folder}' is not a folder.", "Name a file that can be written.")
    if not folder.exists():
        raise _refused(to, f"There is no folder '{folder}'.", f"Make it first: mkdir -p {folder}")


def _blaming(to: str) -> AbstractContextManager[None]:
    """Turns what the disk says into an ImageError that names the file."""
    error = partial(ImageError, file=to)
    return write_errors(to, error, fix="Name a file that can be written.", asked=_asked(to))


def _asked(to: str) -> str:
    return f"Results can't be written to '{to}'."


def _refused(to: str, case: str, fix: str) -> ImageError:
    return ImageError(_asked(to), case, fix, file=to)
