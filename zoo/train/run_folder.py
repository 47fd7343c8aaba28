"""Locks a run's folder and decides whether the run in it can be resumed."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from safetensors.torch import save as bytes_of
from torch import Tensor

from zoo.drafts import clear
from zoo.environment import expand_home
from zoo.errors import TrainError, UsageError
from zoo.files import read_regular, write_errors, write_file
from zoo.folder_lock import LOCK, FolderHeld, hold_folder
from zoo.registry import catalogue
from zoo.registry.folder import CARD, FACTS, FILE_PREFIX, RECIPE, is_run, resume_command
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import difference, read_recipe, recipe_of, write_recipe

WEIGHTS = "model.safetensors"
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


def folder_to_resume(model: object, to: str | os.PathLike[str] | None) -> Path | None:
    """The folder of the run that `model` names in the place of a model; None where it is a model's
    name, or else no such folder.

    Raises: UsageError for another folder in `to`, or for a folder without a run.
    """
    if not isinstance(model, str | os.PathLike):
        return None
    text = os.fspath(model)
    folder = expand_home(text)
    if not folder.is_dir() or catalogue().rows_of(text.partition(".")[0]):
        return None
    if to is not None and expand_home(to).absolute() != folder.absolute():
        raise UsageError(
            f"The run in {folder} can't be resumed in {os.fspath(to)}.",
            "A run continues in its own folder.",
            "Leave out to, or name a model instead of the folder.",
            fix_cli=f"Leave out --to: {resume_command(folder)}",
        )
    check_begun(folder)
    if not is_run(folder):
        again = f"--to {shlex.quote(text)}"
        raise UsageError(
            f"There is nothing to resume in {folder}.",
            "The run was stopped before it had written its recipe.",
            f'Begin it again with a model and its data, to="{text}".',
            fix_cli=f"Begin it again: zoo train MODEL --data PATH {again}",
        )
    return folder


def check_unused(folder: Path, *, resume: bool) -> None:
    """Raises: UsageError if there is a run in the folder and `resume` is False."""
    if _has_run(folder) and not resume:
        raise UsageError(
            f"The folder {folder} can't be trained in.",
            "There is a run in it already.",
            f'Continue it: resume=True; or name another folder: to="{folder}-2"',
            fix_cli=f"Continue it: {resume_command(folder)}; or name another folder: "
            f"--to {shlex.quote(f'{folder}-2')}",
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
        raise _other_run(folder, changed)


def _other_run(folder: Path, changed: Sequence[str]) -> TrainError:
    """The error for a recipe or data that differ from those of the run in the folder."""
    again = ""
    fix = f'Resume it as it was begun: zoo.train("{folder}", resume=True)'
    fix_cli = f"Resume it as it was begun: {resume_command(folder)}"
    if (folder / CARD).exists():
        model, other = f"{FILE_PREFIX}{folder}", f"{folder}-2"
        data = recipe_of(read_recipe(folder / RECIPE)).data or "PATH"
        again = " It has ended: more training is a run of its own, from the weights of this one."
        fix = f'Begin that: zoo.train("{model}", data="{data}", to="{other}")'
        words = ("zoo", "train", model, "--data", data, "--to", other)
        fix_cli = f"Begin that, with the options it shall have: {shlex.join(words)}"
    return TrainError(
        f"The run in {folder} can't be resumed.",
        f"It was begun with another recipe or other data. Now {'; '.join(changed)}.{again}",
        fix,
        fix_cli=fix_cli,
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
