"""The folder of a run: whose it is, and whether it can be gone on with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout
from safetensors.torch import save as bytes_of
from torch import Tensor

from zoo.drafts import clear
from zoo.errors import TrainError, UsageError
from zoo.files import read_regular, write_errors, write_file
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import difference, read_recipe, recipe_of, write_recipe

RECIPE, FACTS, WEIGHTS = "recipe.yaml", "run.json", "model.safetensors"
CHECKPOINTS = "checkpoints"
# Fields that change no number: another machine may want others.
FREE = {"to", "workers", "checkpoint_every", "data", "validation"}
_UNSAFE = re.compile(r"[^\w.-]+")


def default_folder(model: str, data: str) -> Path:
    """`runs/MODEL-DATA`, of characters that every file system takes."""
    words = [_UNSAFE.sub("-", word).strip("-.") for word in (model, data)]
    return Path("runs", "-".join(word for word in words if word)[:100])


def lock(folder: Path) -> FileLock:
    """Holds a folder for this process, until it ends however it ends.

    Raises: UsageError where it can't be written, TrainError if another process holds it.
    """
    held = FileLock(folder / ".lock")
    asked, fix = f"The folder {folder} can't be trained in.", "Name another folder with --to."
    try:
        with write_errors(folder, UsageError, asked=asked, fix=fix):
            folder.mkdir(parents=True, exist_ok=True)
            held.acquire(timeout=0)
    except Timeout:
        raise TrainError(
            asked,
            "Another process trains in it.",
            "Wait until it ends, or name another folder with --to.",
        ) from None
    return held


def has_checkpoints(folder: Path) -> bool:
    """Whether a run in that folder has kept a step to go on from."""
    return any((folder / CHECKPOINTS).glob("*"))


def enter(folder: Path, recipe: Recipe, facts: Mapping[str, Any], *, resume: bool) -> None:
    """Begins a run in a folder, or goes on with the one in it. One that has kept nothing yet,
    as its weights could not be had for instance, begins once more, by any recipe.

    The folder is locked: files that are half written there were left by a process that was killed,
    and are removed.
    Raises: UsageError if there is one and it is not to be resumed; TrainError naming what differs
        from it.
    """
    path = folder / RECIPE
    if not path.exists() or not (has_checkpoints(folder) or (folder / WEIGHTS).exists()):
        with write_errors(folder / FACTS, UsageError, fix="Choose another folder with --to."):
            write_file(folder / FACTS, msgspec.json.format(msgspec.json.encode(facts)))
        write_recipe(recipe, path)  # last, as a run with one has both
        return
    if not resume:
        raise UsageError(
            f"The folder {folder} can't be trained in.",
            "There is a run in it already.",
            f'Go on with it: resume=True; or name another folder: to="{folder}-2"',
            fix_cli=f"Go on with it: --resume; or name another folder: --to {folder}-2",
        )
    changed = [
        text
        for text in difference(recipe, recipe_of(read_recipe(path)))
        if re.split(r"[.:]", text)[0] not in FREE
    ]
    before = _facts(folder)
    changed += [
        f"{name}: {_short(facts.get(name))}, not {_short(before.get(name))}"
        for name in sorted(before.keys() | facts.keys())
        if name.endswith("sha256") and facts.get(name) != before.get(name)
    ]
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        clear(place, young=0)
    if changed:
        raise TrainError(
            f"The run in {folder} can't be resumed.",
            f"It was begun with another recipe or other data. Now {'; '.join(changed)}.",
            "Resume it as it was begun, or train in another folder: --to PATH",
        )


def _facts(folder: Path) -> dict[str, Any]:
    """The data that the run in a folder was begun with. Raises: TrainError."""
    try:
        return msgspec.json.decode(read_regular(folder / FACTS), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise TrainError(
            f"The run in {folder} can't be resumed.",
            f"{FACTS}, which says what data it was begun with, "
            + ("is missing." if missing else f"can't be read: {error}"),
            "Put that file back, or train in another folder: --to PATH",
        ) from error


def _short(sha256: str | None) -> str:
    return "none" if sha256 is None else sha256[:12]


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes safetensors, whole or not at all. Raises: OSError."""
    write_file(path, packed(tensors))


def packed(tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Tensors as safetensors, each in memory of its own, as the format wants it."""
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return bytes_of(whole, metadata)
