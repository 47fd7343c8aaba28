"""Makes a published file mappable: safetensors as it is, `.pth` converted once, others refused.

A pickle is only ever read by torch's restricted unpickler (`weights_only=True`), which runs no
code; there is no way around it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.environment import home
from zoo.errors import CheckpointError
from zoo.files import atomic_write
from zoo.weights import records
from zoo.weights.disk import file_lock, saving
from zoo.weights.other_formats import check_format, other_format
from zoo.weights.records import FileStamp, Record, sha256_of
from zoo.weights.torch_file import load_torch_file, tensors_of

log = logging.getLogger("zoo")

LOOKS = {
    b"\x80": "a pickle",
    b"PK": "a zip archive, as torch.save writes",
    b"<": "a web page",
    b"version https://git-lfs": "a Git LFS pointer, which stands for the file in a repository",
}


@dataclass(frozen=True)
class Mappable:
    """A safetensors file that was checked.

    converted: its own sha256, if it was made from another file.
    dropped:   what that other file held besides tensors.
    key:       what a converted file is remembered under.
    finite:    every number in a converted file is known to be finite.
    """

    path: Path
    converted: str | None = None
    dropped: tuple[str, ...] = ()
    key: str = ""
    finite: bool = False


def mappable(
    published: Path,
    *,
    sha256: str,
    name: str,
    state_key: str | None,
    guessed: bool = False,
) -> Mappable:
    """The tensors of a verified file as safetensors.

    name:      what the file was published as; only its ending counts.
    state_key: where in a `.pth` the tensors are, as in `model` or `ema.module`.
    guessed:   that key is another file's, and may be this one's as well.

    Raises:
        CheckpointError: it is unsafe, broken, or has no tensors there.
        CacheError: the converted file can't be kept.
    """
    earlier = find_converted(sha256, state_key)
    if earlier:
        return earlier
    if _is_safetensors(published, name):
        check(published)
        return Mappable(published)
    check_format(published, name)
    return _convert(published, sha256, state_key, guessed=guessed)


def find_converted(sha256: str, state_key: str | None) -> Mappable | None:
    """The file that was converted before from one with that sha256, if it is still what was written
    then."""
    path = _converted_path(sha256, state_key)
    record = records.read(_address(sha256, state_key))
    if record is None or not path.is_file():
        return None
    if not record.holds(path):
        if sha256_of(path) != record.sha256:
            log.warning("%s is damaged and is converted again.", path)
            return None
        records.write(replace(record, path=str(path), stamp=FileStamp.of(path)))
    return Mappable(path, record.sha256, record.dropped, record.address, record.finite)


def check(path: Path) -> None:
    """Raises a CheckpointError unless the file is well-formed safetensors: header, offsets and
    length agree."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError, ValueError) as error:
        seems = _looks(path)
        case = (
            f"{path} is not a valid safetensors "
            f"file{f': it is {seems}' if seems else f' ({error})'}. "
            f"It is refused."
        )
        raise CheckpointError(
            "Weights can't be read.", case, "Fetch the file again, or another one."
        ) from error


def _convert(published: Path, sha256: str, state_key: str | None, *, guessed: bool) -> Mappable:
    path = _converted_path(sha256, state_key)
    with saving(path), file_lock(path):
        earlier = find_converted(sha256, state_key)
        if earlier:
            return earlier
        loaded = load_torch_file(published, seems=_looks(published))
        tensors, dropped = tensors_of(loaded, published, state_key, guessed=guessed)
        with atomic_write(path, read_only=True) as draft:
            _save(tensors, draft, published)
        if dropped:
            log.info("%s: left out other than tensors: %s", published, ", ".join(dropped))
        digest, key = sha256_of(path), _address(sha256, state_key)
        records.write(Record(key, str(path), digest, FileStamp.of(path), dropped=dropped))
    return Mappable(path, digest, dropped, key)


def _save(tensors: Mapping[str, object], draft: Path, published: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(dict(tensors), draft, metadata={"format": "pt"})  # type: ignore[arg-type]  # torch stays out of this module
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        if "os error" in str(error).lower():  # the disk's word, as safetensors reports it
            number = re.search(r"os error (\d+)", str(error))
            raise OSError(int(number[1]) if number else 5, str(error)) from error
        case = f"{published} holds tensors that safetensors can't: {error}."
        raise CheckpointError(
            "The checkpoint can't be converted.",
            case,
            "Publish it as dense tensors of a plain type.",
        ) from error


def _is_safetensors(path: Path, name: str) -> bool:
    if name.endswith(".safetensors"):
        return True
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _looks(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "empty"
    looks = next((kind for start, kind in LOOKS.items() if head.startswith(start)), None)
    return other_format(path) or looks


def _converted_path(sha256: str, state_key: str | None) -> Path:
    suffix = "-" + re.sub(r"[^\w.-]", "_", state_key) if state_key else ""
    return home() / "converted" / f"{sha256}{suffix}.safetensors"


def _address(sha256: str, state_key: str | None) -> str:
    return f"converted:{sha256}:{state_key or ''}"
