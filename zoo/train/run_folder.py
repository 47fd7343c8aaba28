"""Locks a run's folder and decides whether the run in it can be resumed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from safetensors.torch import save as bytes_of
from torch import Tensor

from zoo.drafts import clear
from zoo.errors import TrainError, UsageError
from zoo.files import read_regular, write_errors, write_file
from zoo.folder_lock import LOCK, FolderHeld, hold_folder
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import difference, read_recipe, recipe_of, write_recipe

RECIPE, FACTS, WEIGHTS = "recipe.yaml", "run.json", "model.safetensors"
CHECKPOINTS = "checkpoints"
# Fields that change no number, so that a resumed run may have others.
FREE_FIELDS = {"to", "workers", "checkpoint_every", "data", "validation"}
_UNSAFE = re.compile(r"[^\w.-]+")


def default_folder(model: str, data: str) -> Path:
    """`runs/MODEL-DATA`, of characters that every file system takes."""
    words = [_UNSAFE.sub("-", word).strip("-.") for word in (model, data)]
    return Path("runs", "-".join(word for word in words if word)[:100])


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Holds a folder for this process until the block or the process ends.

    Raises: UsageError if it can't be written, TrainError if another process holds it.
    """
    problem, fix = f"The folder {folder} can't be trained in.", "Name another folder with --to."
    with ExitStack() as held:
        try:
            with write_errors(folder, UsageError, failure=problem, fix=fix):
                held.enter_context(hold_folder(folder))
        except FolderHeld as error:
            raise TrainError(
                problem,
                f"{error}, trains in it.",
                "Wait until it ends, or name another folder with --to.",
            ) from None
        yield


def has_checkpoints(folder: Path) -> bool:
    """Whether a run in that folder has a checkpoint."""
    return any((folder / CHECKPOINTS).glob("*"))


def _has_run(folder: Path) -> bool:
    """Whether a folder has a run that saved something."""
    saved = has_checkpoints(folder) or (folder / WEIGHTS).exists()
    return saved and (folder / RECIPE).exists()


def check_begun(folder: Path) -> None:
    """Raises: UsageError if no run was begun in the folder, so that there is none to resume.

    One that was killed in its first second has left no more than the lock.
    """
    if any((folder / name).exists() for name in (LOCK, FACTS, RECIPE)):
        return
    missing = "It has no run in it." if folder.is_dir() else "There is no such folder."
    raise UsageError(
        f"There is nothing to resume in {folder}.",
        missing,
        "Name the folder of the run, to=PATH; or begin one: resume=False",
        fix_cli="Name the folder of the run, --to PATH; or begin one: leave out --resume.",
    )


def check_unused(folder: Path, *, resume: bool) -> None:
    """Raises: UsageError if there is a run in the folder and `resume` is False."""
    if _has_run(folder) and not resume:
        raise UsageError(
            f"The folder {folder} can't be trained in.",
            "There is a run in it already.",
            f'Continue it: resume=True; or name another folder: to="{folder}-2"',
            fix_cli=f"Continue it: --resume; or name another folder: --to {folder}-2",
        )


def enter(folder: Path, recipe: Recipe, facts: Mapping[str, Any], *, resume: bool) -> None:
    """Begins a run in a folder, or resumes the one in it.

    A run that saved no checkpoint yet starts again, with any recipe. The folder has to be locked:
    drafts in it were left by a process that was killed, and are removed.
    Raises: UsageError if there is a run and `resume` is False; TrainError naming what differs from
        that run.
    """
    check_unused(folder, resume=resume)
    path = folder / RECIPE
    if not _has_run(folder):
        with write_errors(folder / FACTS, UsageError, fix="Choose another folder with --to."):
            write_file(folder / FACTS, msgspec.json.format(msgspec.json.encode(facts)))
        write_recipe(recipe, path)  # last: a folder with a recipe has both
        return
    changed = [
        text
        for text in difference(recipe, recipe_of(read_recipe(path)))
        if re.split(r"[.:]", text)[0] not in FREE_FIELDS
    ]
    before = _facts(folder)
    changed += [
        f"{name}: {_short(facts.get(name))}, not {_short(before.get(name))}"
        for name in sorted(before.keys() | facts.keys())
        if name.endswith("sha256") and facts.get(name) != before.get(name)
    ]
    for subfolder in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        clear(subfolder, young=0)
    if changed:
        raise TrainError(
            f"The run in {folder} can't be resumed.",
            f"It was begun with another recipe or other data. Now {'; '.join(changed)}.",
            "Resume it as it was begun, or train in another folder: --to PATH",
        )


def _facts(folder: Path) -> dict[str, Any]:
    """Reads the facts on the data with which the run in a folder began. Raises: TrainError."""
    try:
        return msgspec.json.decode(read_regular(folder / FACTS), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise TrainError(
            f"The run in {folder} can't be resumed.",
            f"{FACTS}, which records the data that it began with, "
            + ("is missing." if missing else f"can't be read: {error}"),
            "Put that file back, or train in another folder: --to PATH",
        ) from error


def _short(sha256: str | None) -> str:
    return "none" if sha256 is None else sha256[:12]


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes safetensors, completely or not at all. Raises: OSError."""
    write_file(path, safetensors_bytes(tensors))


def safetensors_bytes(
    tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None
) -> bytes:
    """Tensors in the safetensors format, which wants each in memory of its own."""
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return bytes_of(copies, metadata)
