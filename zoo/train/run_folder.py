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
from zoo.files import read_regular, write_file
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
    """Holds a folder for this process, until it ends however it ends. Raises: TrainError."""
    folder.mkdir(parents=True, exist_ok=True)
    held = FileLock(folder / ".lock")
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise TrainError(
            f"The folder {folder} can't be trained in.",
            "Another process trains in it.",
            "Wait until it ends, or name another folder with --to.",
        ) from None
    return held


def enter(folder: Path, recipe: Recipe, facts: Mapping[str, Any], *, resume: bool) -> None:
    """Begins a run in a folder, or goes on with the one in it.

    The folder is locked: files that are half written there were left by a process that was killed,
    and are removed.
    Raises: UsageError if there is one and it is not to be resumed; TrainError naming what differs
        from it.
    """
    path = folder / RECIPE
    if not path.exists():
        write_recipe(recipe, path)
        write_file(folder / FACTS, msgspec.json.format(msgspec.json.encode(facts)))
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
    before: dict[str, Any] = msgspec.json.decode(read_regular(folder / FACTS))
    changed += [
        f"{name}: {facts[name][:12]}, not {value[:12]}"
        for name, value in before.items()
        if name.endswith("sha256") and facts.get(name, value) != value
    ]
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        clear(place, young=0)
    if changed:
        raise TrainError(
            f"The run in {folder} can't be resumed.",
            f"It was begun with another recipe or other data. Now {'; '.join(changed)}.",
            "Resume it as it was begun, or train in another folder: --to PATH",
        )


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes safetensors, whole or not at all. Raises: OSError."""
    write_file(path, packed(tensors))


def packed(tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Tensors as safetensors, each in memory of its own, as the format wants it."""
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return bytes_of(whole, metadata)
