"""Checkpoints that were made to do harm, or that came to harm: refused by name, and nothing they
carry is ever run."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save

import zoo.weights
from zoo.environment import home
from zoo.errors import CheckpointError, WeightsError

Attack = Callable[[Path], bytes]


class RunsCode:
    """Unpickling it with plain pickle creates a file."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.flag}",)


def zipped(what: object) -> bytes:
    file = io.BytesIO()
    torch.save(what, file)
    return file.getvalue()


def legacy(what: object) -> bytes:
    file = io.BytesIO()
    torch.save(what, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def compressed(archive: bytes, **swapped: bytes) -> bytes:
    """The same zip archive, its entries deflated, some with other contents."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(
                name, swapped.get(name.rpartition("/")[2].partition(".")[0], old.read(name))
            )
    return file.getvalue()


TENSORS = {"a": torch.arange(1000.0)}
ATTACKS: dict[str, Attack] = {
    "os.system in a zip": lambda flag: zipped({"a": RunsCode(flag)}),
    "os.system in a legacy file": lambda flag: legacy({"a": RunsCode(flag)}),
    "os.system in a bare pickle": lambda flag: pickle.dumps({"a": RunsCode(flag)}),
    "os.system beside tensors": lambda flag: zipped({**TENSORS, "z": RunsCode(flag)}),
    "eval by name": lambda flag: (
        b"c__builtin__\neval\n(S'open(\"" + str(flag).encode() + b'","w")\'\ntR.'
    ),
}


@pytest.mark.parametrize("ending", ["pth", "pt", "bin", "ckpt", "safetensors"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_code_in_a_checkpoint_is_refused_and_never_run(
    attack: str, ending: str, tmp_path: Path
) -> None:
    flag, file = tmp_path / "owned", tmp_path / f"net.{ending}"
    file.write_bytes(ATTACKS[attack](flag))
    with pytest.raises(CheckpointError) as error:
        zoo.weights.locate(f"file:{file}")
    assert str(file) in error.value.case
    assert not flag.exists()
    assert not list(home().glob("converted/*.safetensors"))


def test_the_attack_is_real(tmp_path: Path) -> None:
    pickle.loads(ATTACKS["os.system in a bare pickle"](tmp_path / "owned"))
    assert (tmp_path / "owned").exists()


def test_the_refusal_says_what_would_have_been_run(tmp_path: Path) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(zipped({"a": RunsCode(tmp_path / "owned")}))
    with pytest.raises(
        CheckpointError,
        match=r"is refused: reading it would run 'posix\.system'(.|\n)*as safetensors",
    ):
        zoo.weights.locate(f"file:{file}")


def header(tensors: object, data: bytes = b"", *, length: int | None = None) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BROKEN = {
    "empty": b"",
    "seven bytes": b"1234567",
    "a header of 2^63 bytes": header({"a": ONE}, b"\0" * 8, length=2**63),
    "a header of 100 GB": header({"a": ONE}, b"\0" * 8, length=100_000_000_000),
    "a header that is no JSON": struct.pack("<Q", 4) + b"{{{{",
    "negative offsets": header({"a": {**ONE, "data_offsets": [-8, 0]}}, b"\0" * 8),
    "offsets that overlap": header({"a": ONE, "b": {**ONE, "data_offsets": [4, 12]}}, b"\0" * 12),
    "offsets with a gap": header({"a": ONE, "b": {**ONE, "data_offsets": [12, 20]}}, b"\0" * 20),
    "offsets past the end": header({"a": ONE}, b"\0" * 4),
    "bytes after the end": header({"a": ONE}, b"\0" * 9),
    "a shape that overflows": header({"a": {**ONE, "shape": [2**62, 2**62]}}, b"\0" * 8),
    "a type nobody knows": header({"a": {**ONE, "dtype": "F31"}}, b"\0" * 8),
    "cut short": save(TENSORS)[:-100],
    "a web page": b"<!doctype html><title>Log in</title>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "a zip archive": zipped(TENSORS),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_safetensors_file_is_refused_by_name(what: str, tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(BROKEN[what])
    with pytest.raises(
        CheckpointError, match=r"net\.safetensors is not a valid safetensors file(.|\n)*refused"
    ):
        zoo.weights.locate(f"file:{file}")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a web page", "it is a web page"),
        ("a Git LFS pointer", "it is a Git LFS"),
        ("empty", "it is empty"),
    ],
)
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_what_a_file_really_is_is_said(what: str, said: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"net.{ending}"
    file.write_bytes(BROKEN[what])
    with pytest.raises(CheckpointError, match=said):
        zoo.weights.locate(f"file:{file}")


WHOLE = zipped({"a": torch.arange(1000.0), "b": torch.ones(3)})
BOMBS = {
    "a pickle that unfolds to 64 MB": compressed(
        WHOLE, data=b"\x80\x02" + b"N0" * (32 << 20) + b"N."
    ),
    "deflated tensors": compressed(WHOLE),
    "deflated noise, which gets no smaller": compressed(
        zipped({"a": torch.randint(256, (9000,), dtype=torch.uint8)})
    ),
    "a tensor of stride zero": zipped({"a": torch.zeros(1).expand(1 << 40)}),
    "many views of one tensor": zipped(
        {f"a{i}": one for one in [torch.zeros(1 << 16)] for i in range(64)}
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_unfolds_to_more_than_it_is_is_refused(bomb: str, tmp_path: Path) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(BOMBS[bomb])
    with pytest.raises(CheckpointError, match="It is refused"):
        zoo.weights.locate(f"file:{file}")
    assert not list(home().glob("converted/*"))[1:]  # its lock at most


@pytest.mark.parametrize("keep", [1, 4, 100, len(WHOLE) // 2, len(WHOLE) - 1])
@pytest.mark.parametrize(
    "data", [WHOLE, legacy({"a": torch.arange(1000.0)})], ids=["zip", "legacy"]
)
def test_a_truncated_checkpoint_is_refused_by_name(data: bytes, keep: int, tmp_path: Path) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(data[: min(keep, len(data) - 1)])
    with pytest.raises(CheckpointError, match=r"net\.pth"):
        zoo.weights.locate(f"file:{file}")


def test_a_folder_in_place_of_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "net.pth").mkdir()
    with pytest.raises(WeightsError, match="It is a folder"):
        zoo.weights.locate(f"file:{tmp_path / 'net.pth'}")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_ends_in_the_same_tensors_or_in_a_clear_error(
    tmp_path: Path, at: int, bit: int
) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(WHOLE[:at] + bytes([WHOLE[at] ^ (1 << bit)]) + WHOLE[at + 1 :])
    try:
        read = load_file(zoo.weights.locate(f"file:{file}").path)
    except CheckpointError as why:
        read = TENSORS if "net.pth" in why.case else {}
    assert read["a"].equal(TENSORS["a"])


def test_an_archive_without_checksums_is_read_all_the_same(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        (tmp_path / "net.pth").write_bytes(zipped(TENSORS))
    finally:
        torch.serialization.set_crc32_options(True)
    assert load_file(zoo.weights.locate(f"file:{tmp_path / 'net.pth'}").path)["a"].equal(
        TENSORS["a"]
    )
