"""Files that `zoo detect` writes while it runs, each whole or not at all: JSON lists."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from zoo.detections import Detections
from zoo.errors import ImageError
from zoo.weights.disk import replacing

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
    elif (
        path.exists() and not path.is_file()
    ):  # a pipe or a device is no place to move a finished file to
        with _closing(path.open("w", encoding="utf-8")) as file:
            yield file
    else:
        _check_folder(to, path.parent)
        with (
            replacing(path.resolve()) as draft,
            _closing(draft.open("w", encoding="utf-8")) as file,
        ):  # a link stays a link
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


@contextmanager
def _blaming(to: str) -> Iterator[None]:
    """Says of a file that it can't be written; that who reads standard output left is no fault of a
    file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as why:
        raise _refused(
            to, f"It can't be written: {why.strerror}.", "Name a file that can be written."
        ) from why


def _refused(to: str, case: str, fix: str) -> ImageError:
    return ImageError(f"Results were to be written to '{to}'.", case, fix, file=to)


def object_of(
    seen: Detections, *, model: str | None, weights_sha256: str | None, saved: str | None = None
) -> dict[str, object]:
    """What `--json` writes of one image; `saved` is where the annotated image is, with `--save`."""
    one = seen.to_json()
    head = {name: one[name] for name in ("file", "width", "height")}
    if saved is not None:
        head["saved"] = saved
    return {
        **head,
        "model": model,
        "weights_sha256": weights_sha256,
        "detections": one["detections"],
    }
