"""What a checkpoint's pickle would build, read without building it."""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from zoo.weights.pickle_structure import Damaged, Refused, storages_of


def pickle_of(state: object, tmp_path: Path) -> bytes:
    torch.save(state, tmp_path / "x.pth")
    with zipfile.ZipFile(tmp_path / "x.pth") as archive:
        return archive.read("x/data.pkl")


def test_the_storages_of_a_state_dict_have_their_sizes_in_bytes(tmp_path: Path) -> None:
    state = OrderedDict(w=torch.zeros(3, 2), b=torch.zeros(5, dtype=torch.float16))
    assert sorted(storages_of(io.BytesIO(pickle_of(state, tmp_path))).values()) == [10, 24]


def test_plain_values_have_no_storage() -> None:
    assert storages_of(io.BytesIO(pickle.dumps({"epoch": 3, "lr": (0.1, [1, 2])}, 2))) == {}


@pytest.mark.parametrize("state", [{"w": torch.zeros(2, 2).to_sparse()}], ids=["sparse"])
def test_tensors_of_other_kinds_are_refused(state: object, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        storages_of(io.BytesIO(pickle_of(state, tmp_path)))


def test_shared_parts_that_multiply_are_refused() -> None:
    value: object = ()
    for _ in range(40):
        value = (value, value)
    with pytest.raises(Refused):
        storages_of(io.BytesIO(pickle.dumps(value, 2)))


@pytest.mark.parametrize("raw", [b"", b"\x80\x02", b"\x80\x02K\x01"])
def test_a_pickle_that_breaks_off_is_damaged(raw: bytes) -> None:
    with pytest.raises(Damaged):
        storages_of(io.BytesIO(raw))
