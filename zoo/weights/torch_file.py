"""Reads files of torch.save without trusting them: no code runs, and no file expands."""

from __future__ import annotations

import itertools
import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import CheckpointError
from zoo.text import type_name
from zoo.weights.pickle_structure import Damaged, Refused
from zoo.weights.torch_structure import check_pickles, check_zip

if TYPE_CHECKING:
    from torch import Tensor

FAILURE = "The checkpoint can't be converted."
ZIP = b"PK\x03\x04"
# tied weights are written out once each; a stride of zero could make a terabyte of one number
UNFOLDS = 16


def load_torch_file(path: Path, *, seems: str | None = None) -> object:
    """The contents of a `.pth`, its tensors mapped from the file where its format allows.

    seems: what the file looks like, for the message.

    Raises:
        CheckpointError: it is unsafe or broken.
    """
    import torch

    with path.open("rb") as file:
        zipped = file.read(4) == ZIP
    try:
        check_zip(path) if zipped else check_pickles(path)
    except Refused as error:
        if seems and seems not in ("a pickle", "a zip archive, as torch.save writes"):
            raise _broken(path, f"it is {seems}") from error
        if isinstance(error, Damaged):
            raise _broken(path, str(error)) from error
        raise CheckpointError(
            FAILURE, f"{path}: {error}. It is refused.", "Use another file, of dense tensors."
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # torch warns of old formats, which are not the caller's to change
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise _refusal(path, str(error), seems) from error
    except Exception as error:  # torch raises most built-in types over a broken file
        first = str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise _broken(path, f"it is {seems}" if seems == "empty" else first) from error


def tensors_of(
    loaded: object, path: Path, state_key: str | None, *, guessed: bool = False
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a checkpoint, each with memory of its own, and the names of what else it held.

    guessed: the key may not be this file's; one that has tensors at its top level needs
        none.

    Raises:
        CheckpointError: there are none, or they can't be written out.
    """
    import torch

    key = None if guessed and _has_tensors(loaded) else state_key
    state = _under(loaded, key, path)
    tensors = {
        name: value
        for name, value in state.items()
        if isinstance(name, str) and isinstance(value, torch.Tensor)
    }
    if not tensors:
        raise _no_tensors_error(loaded, path, key)
    odd = [
        name
        for name, tensor in tensors.items()
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu"
    ]
    if odd:
        raise CheckpointError(
            FAILURE,
            f"{path}: {odd[0][:100]} is not a dense tensor.",
            "Publish it as dense tensors of a plain type.",
        )
    if (
        sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        > UNFOLDS * path.stat().st_size
    ):
        raise CheckpointError(
            FAILURE,
            f"{path} unfolds to more than {UNFOLDS} times its size. It is refused.",
            "Use another file.",
        )
    return _separate(tensors), tuple(str(name)[:100] for name in state if name not in tensors)


def _separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that share no memory and have no gaps, as safetensors wants them."""
    addresses: set[int] = set()
    separate = {}
    for name, value in tensors.items():
        tensor = value.detach().contiguous()
        storage = tensor.untyped_storage()
        if storage.data_ptr() in addresses or storage.nbytes() != tensor.nbytes:
            tensor = tensor.clone()
        addresses.add(storage.data_ptr())
        separate[name] = tensor
    return separate


def _has_tensors(value: object) -> bool:
    import torch

    return isinstance(value, Mapping) and any(
        isinstance(member, torch.Tensor) for member in value.values()
    )


def _under(loaded: object, state_key: str | None, path: Path) -> Mapping[object, object]:
    """The mapping under a dotted key."""
    at: object = loaded
    if isinstance(at, Mapping) and state_key:
        for key in [state_key] if state_key in at else state_key.split("."):
            at = at.get(key) if isinstance(at, Mapping) else None
    if isinstance(at, Mapping):
        return at
    raise _no_tensors_error(loaded, path, state_key)


def _no_tensors_error(loaded: object, path: Path, state_key: str | None) -> CheckpointError:
    """The error for a file without tensors where they were looked for: where they are instead, and
    how to get them out."""
    keys_there = (
        [str(key)[:100] for key in itertools.islice(loaded, 8)]
        if isinstance(loaded, Mapping)
        else []
    )
    listed = ", ".join(keys_there) if isinstance(loaded, Mapping) else type_name(loaded)
    if isinstance(loaded, Mapping) and len(loaded) > len(keys_there):
        listed += f" and {len(loaded) - len(keys_there)} more"
    case = (
        f"{path} has no tensors {f'under {state_key!r}' if state_key else 'at its top level'}; "
        f"there is: {listed or 'nothing'}."
    )
    places = sorted(_places(loaded), key=lambda place: place[1], reverse=True)
    if state_key and _has_tensors(loaded):
        return CheckpointError(
            FAILURE, case, "Its tensors are at the top level: take state_key off the card."
        )
    if not places:
        return CheckpointError(
            FAILURE, case, "Use another file: torch.save(model.state_dict(), PATH) writes one."
        )
    keys = places[0][0]
    entry = "".join(f'["{key}"]' for key in keys)
    new = f"{path.stem}-tensors.pth"
    resave = f'torch.save(torch.load("{path}", map_location="cpu"){entry}, "{new}")'
    fix = (
        f"Save them alone, in Python: {resave}",
        f'Then load that: weights="file:{new}"',
        f"Or name the entry on the weights' card: state_key: {'.'.join(keys)}",
    )
    return CheckpointError(
        FAILURE, f"{case} It has {places[0][1]} tensors under '{'.'.join(keys)}'.", fix
    )


def _places(loaded: object, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """The keys that lead to mappings with tensors, three deep at most, each with the number of
    tensors there."""
    import torch

    for key, value in loaded.items() if isinstance(loaded, Mapping) else ():
        place = (*above, str(key))
        count = (
            sum(isinstance(member, torch.Tensor) for member in value.values())
            if isinstance(value, Mapping)
            else 0
        )
        if count:
            yield place, count
        elif len(place) < 3:
            yield from _places(value, place)


def _refusal(path: Path, message: str, seems: str | None) -> CheckpointError:
    runs = re.search(r"GLOBAL ([\w.]+)", message)
    if runs:
        case = f"{path} is refused: reading it would run '{runs[1]}', and weights need no code."
        return CheckpointError(
            FAILURE,
            case,
            "Do not open it by other means. Get the weights as safetensors, or as a plain "
            "state_dict.",
        )
    return _broken(
        path,
        f"it is {seems}"
        if seems and seems != "a pickle"
        else "it is not a checkpoint that torch.save wrote",
    )


def _broken(path: Path, case: str) -> CheckpointError:
    fix = "Fetch it again, or use another file."
    return CheckpointError(
        FAILURE,
        f"{path} can't be read: {case.strip().rstrip('.')}. It may be damaged or cut short.",
        fix,
    )
