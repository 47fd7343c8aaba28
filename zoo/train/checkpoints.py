"""Saves and reads checkpoints, which hold everything that a run needs to continue bit for bit.

A checkpoint is one file, written completely or not at all. Its name ends in the first digits of its
sha256, to detect damage; the one before is then read instead. The last two are kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import load as tensors_from
from torch import Tensor

from zoo.errors import TrainError
from zoo.files import read_regular, write_file
from zoo.train.run_folder import CHECKPOINTS, WEIGHTS, safetensors_bytes, write_weights
from zoo.train.training import Progress, Training

CHECKPOINTS_KEPT = 2
SHA256_DIGITS = 16  # in a file's name
_NAME = re.compile(r"step-(\d+)-([0-9a-f]{16})\.safetensors")
log = logging.getLogger("zoo")


@dataclass(frozen=True)
class State:
    """The contents of a checkpoint.

    model, average: tensors by name; `average` is empty without one. optimizer: its `state`, by the
        number of the parameter. scaler: of mixed precision.
    """

    progress: Progress
    model: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimizer: Mapping[int, Mapping[str, Any]]
    scaler: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(training: Training) -> None:
    """Writes the log of a run, and then a checkpoint. Warns if the disk refuses."""
    try:
        training.log.write()
    except OSError as error:
        log.warning("%s can't be written: %s.", training.log.path, error.strerror or error)
    scaler = training.accelerator.scaler
    state = State(
        training.progress,
        training.detector.state_dict(),
        training.average.tensors if training.average else {},
        optimizer_state(training.optimizer),
        scaler.state_dict() if scaler is not None else {},
    )
    write_state(training.folder / CHECKPOINTS, state)


def save_best(training: Training) -> None:
    """Writes the current weights of a run as its best. Raises: OSError."""
    write_weights(training.folder / WEIGHTS, training.detector.state_dict())


def write_state(folder: Path, state: State) -> Path | None:
    """Writes a checkpoint and removes all but the last two.

    If the disk refuses, it warns, leaves the ones before, and returns None.
    """
    content = _state_to_bytes(state)
    digest = hashlib.sha256(content).hexdigest()[:SHA256_DIGITS]
    path = folder / f"step-{state.progress.step:08}-{digest}.safetensors"
    try:
        write_file(path, content)
    except OSError as error:
        before = _checkpoints_in(folder)
        rest = f"The one of step {_step(before[0])} stays." if before else "There is none before."
        log.warning(
            "The checkpoint of step %s can't be written to %s: %s. %s Free some space.",
            *(state.progress.step, folder, error.strerror or error, rest),
        )
        return None
    for old in _checkpoints_in(folder)[CHECKPOINTS_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def newest(folder: Path) -> State | None:
    """The last undamaged checkpoint; None if there is no checkpoint. Warns of each damaged one.

    Raises: TrainError if all are damaged.
    """
    paths = _checkpoints_in(folder)
    for path in paths:
        try:
            return _state_from_bytes(read_regular(path), path)
        except (OSError, ValueError, KeyError) as error:
            log.warning("The checkpoint %s is damaged (%s); the one before is taken.", path, error)
    if paths:
        raise TrainError(
            f"The run in {folder.parent} can't be resumed.",
            f"All of its checkpoints are damaged: {', '.join(path.name for path in paths)}.",
            "Start it again in another folder with --to.",
        )
    return None


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Any]]:
    """The state of an optimizer, by the number of the parameter."""
    state: dict[int, dict[str, Any]] = optimizer.state_dict()["state"]
    return state


def restore_optimizer(
    optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Any]]
) -> None:
    """Restores the state of an optimizer, whose parameter groups stay as the recipe has them."""
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": dict(state), "param_groups": groups})


def _checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the last step first."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in paths if _NAME.fullmatch(path.name)), reverse=True)


def _step(path: Path) -> int:
    return int(path.name.split("-")[1])


def _state_to_bytes(state: State) -> bytes:
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for number, values in state.optimizer.items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{number}.{name}"] = value
            else:
                plain.setdefault(str(number), {})[name] = value
    tensors |= {f"model.{name}": value for name, value in state.model.items()}
    tensors |= {f"average.{name}": value for name, value in state.average.items()}
    facts = {"progress": asdict(state.progress), "optimizer": plain, "scaler": dict(state.scaler)}
    return safetensors_bytes(tensors, {"state": msgspec.json.encode(facts).decode()})


def _state_from_bytes(content: bytes, path: Path) -> State:
    """Raises: ValueError, KeyError for content that doesn't match the file's name."""
    digest = hashlib.sha256(content).hexdigest()
    if not path.stem.endswith(digest[:SHA256_DIGITS]):
        raise ValueError("its sha256 is not the one in its name")
    length = int.from_bytes(content[:8], "little")
    header = msgspec.json.decode(content[8 : 8 + length])
    facts = msgspec.json.decode(header["__metadata__"]["state"])
    optimizer: dict[int, dict[str, Any]] = {
        int(number): dict(values) for number, values in facts["optimizer"].items()
    }
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}}
    for name, tensor in tensors_from(content).items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            number, _, key = rest.partition(".")
            optimizer.setdefault(int(number), {})[key] = tensor
        else:
            parts[kind][rest] = tensor
    progress = msgspec.convert(facts["progress"], Progress)
    return State(progress, parts["model"], parts["average"], optimizer, facts["scaler"])
