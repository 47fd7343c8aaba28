"""Checkpoints of torch.save: loaded without code, and their tensors taken out."""

from pathlib import Path
from typing import Any

import pytest
import torch

from zoo.errors import CheckpointError
from zoo.weights.torch_file import load_torch_file, tensors_of


def saved(value: Any, tmp_path: Path) -> Path:
    torch.save(value, tmp_path / "x.pth")
    return tmp_path / "x.pth"


def test_tensors_are_found_under_a_dotted_key_and_the_rest_is_named(tmp_path: Path) -> None:
    path = saved({"ema": {"module": {"w": torch.ones(2), "step": 3}}}, tmp_path)
    tensors, dropped = tensors_of(load_torch_file(path), path, "ema.module")
    assert torch.equal(tensors["w"], torch.ones(2))
    assert dropped == ("step",)


def test_a_guessed_key_is_left_out_if_tensors_are_at_the_top(tmp_path: Path) -> None:
    path = saved({"w": torch.ones(2)}, tmp_path)
    assert set(tensors_of(load_torch_file(path), path, "model", guessed=True)[0]) == {"w"}
    with pytest.raises(CheckpointError):
        tensors_of(load_torch_file(path), path, "model")


def test_tensors_that_share_memory_get_their_own(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    path = saved({"a": whole[:3], "b": whole[:3], "c": whole.view(2, 3).T}, tmp_path)
    tensors, _ = tensors_of(load_torch_file(path), path, None)
    places = {tensor.untyped_storage().data_ptr() for tensor in tensors.values()}
    assert len(places) == 3
    assert all(one.untyped_storage().nbytes() == one.nbytes for one in tensors.values())


class Other:
    """Not a tensor."""


def test_code_in_a_file_is_not_run_and_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        load_torch_file(saved({"w": torch.ones(1), "o": Other()}, tmp_path))


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x80\x02"])
def test_a_broken_file_is_named(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(raw)
    with pytest.raises(CheckpointError, match=r"x\.pth"):
        load_torch_file(tmp_path / "x.pth", seems="empty" if not raw else None)
