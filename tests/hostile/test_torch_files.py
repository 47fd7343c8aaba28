"""Files that say other things of themselves than they are: refused before torch reads them, where
no hash is known."""

import io
import pickle
import struct
import warnings
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo.weights
from zoo.errors import CheckpointError
from zoo.weights.pickle_structure import Refused, storages_of

STATE = {"a": torch.arange(100.0), "b": torch.ones(3, 4).t(), "c": torch.zeros(0)}


def saved(what: object, **options: object) -> bytes:
    file = io.BytesIO()
    torch.save(what, file, **options)
    return file.getvalue()


def rewritten(change: Callable[[str, bytes], list[tuple[str, bytes]]], whole: bytes = b"") -> bytes:
    """The archive with entries changed; their checksums are right."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of two entries of one name
        with (
            zipfile.ZipFile(io.BytesIO(whole or saved(STATE))) as old,
            zipfile.ZipFile(file, "w") as new,
        ):
            for one in old.infolist():
                for name, data in change(one.filename, old.read(one)):
                    new.writestr(name, data)
    return file.getvalue()


def pickled(content: bytes) -> bytes:
    return rewritten(lambda name, data: [(name, content if name.endswith("data.pkl") else data)])


def key_of_shared_tuples(depth: int) -> bytes:
    """A pickle of a mapping whose one key is a tuple of the same tuple twice, and so on: hashing it
    takes for ever."""
    twice = b"".join(b"0h%ch%c\x86q%c" % (level, level, level + 1) for level in range(depth))
    return b"\x80\x02})q\x00" + twice + b"K\x01s."


def wrong_checksum() -> bytes:
    data = bytearray(rewritten(lambda name, data: [(name, data)]))
    at = data.index(b"PK\x03\x04", 4) + 14
    data[at : at + 4] = struct.pack("<I", 123)
    return bytes(data)


def sparse() -> torch.Tensor:
    return torch.sparse_coo_tensor(
        torch.zeros(1, 1, dtype=torch.long), torch.ones(1), (3,), check_invariants=False
    )


BAD = {
    "a record shorter than its tensor": rewritten(
        lambda name, data: [(name, data[:-4] if name.endswith("data/0") else data)]
    ),
    "a record longer than its tensor": rewritten(
        lambda name, data: [(name, data + b"0" if name.endswith("data/0") else data)]
    ),
    "a record that is missing": rewritten(
        lambda name, data: [] if name.endswith("data/0") else [(name, data)]
    ),
    "two entries of one name": rewritten(
        lambda name, data: [(name, data)] * (2 if name.endswith("data/0") else 1)
    ),
    "headers that contradict each other": wrong_checksum(),
    "a key of tuples that share their parts": pickled(key_of_shared_tuples(60)),
    "a sparse tensor": saved({"a": sparse()}),
    "a sparse tensor, in the old format": saved(
        {"a": sparse()}, _use_new_zipfile_serialization=False
    ),
    "tuples that share their parts, in the old format": b"".join(
        [
            *(pickle.dumps(one, protocol=2) for one in (0x1950A86A20F9469CFC6C, 1001, {})),
            key_of_shared_tuples(60),
        ]
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_not_what_it_says_is_refused(what: str, tmp_path: Path) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(BAD[what])
    with pytest.raises(CheckpointError, match=r"net\.pth") as error:
        zoo.weights.locate(f"file:{file}")
    assert len(str(error.value)) < 1000


def test_entries_that_lie_in_one_another_are_refused(tmp_path: Path) -> None:
    data = bytearray(saved(STATE))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first, last = archive.infolist()[0], archive.infolist()[-1]
    at = data.rindex(b"PK\x01\x02") + 42
    assert struct.unpack_from("<I", data, at)[0] == last.header_offset
    data[at : at + 4] = struct.pack("<I", first.header_offset)
    (tmp_path / "net.pth").write_bytes(data)
    with pytest.raises(CheckpointError):
        zoo.weights.locate(f"file:{tmp_path / 'net.pth'}")


ORDINARY = {
    "tensors": STATE,
    "what a training script saves": {
        "model": OrderedDict(STATE),
        "optimizer": {
            "state": {0: {"step": torch.tensor(1.0), "exp": torch.ones(3)}},
            "param_groups": [{"lr": 0.1}],
        },
        "scheduler": {"milestones": Counter([3, 5]), "last": None},
        "epoch": 12,
        "size": torch.Size([3, 4]),
        "types": (torch.float16, torch.device("cpu")),
    },
    "parameters": {"a": torch.nn.Parameter(torch.ones(3))},
    "every plain type": {
        str(one): torch.ones(3).to(one)
        for one in (torch.float64, torch.bfloat16, torch.int8, torch.bool)
    },
    "float8": {"a": torch.ones(4).to(torch.float8_e4m3fn)},
    "views of one storage": {"a": STATE["a"][:50], "b": STATE["a"][50:]},
}


@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.parametrize("what", ORDINARY)
def test_what_torch_saves_is_read(what: str, old_format: bool, tmp_path: Path) -> None:
    if old_format and what == "float8":
        pytest.skip("torch itself can't read them back")
    file = tmp_path / "net.pth"
    torch.save(ORDINARY[what], file, _use_new_zipfile_serialization=not old_format)
    key = "model" if what == "what a training script saves" else None
    assert zoo.weights.locate(f"file:{file}", state_key=key).converted


@pytest.mark.parametrize(
    "noise", [b"", b"\x80", b"\x80\x02}(", b"\x80\x02Qu.", b"a.", b"0.", b"\x80\x02(\x85R."]
)
def test_noise_is_a_refusal(noise: bytes) -> None:
    with pytest.raises(Refused):
        storages_of(io.BytesIO(noise))
