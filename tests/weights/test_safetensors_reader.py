"""Every type of number is read, mapped or in the background; a file that is none is an error."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from zoo.errors import CheckpointError
from zoo.weights.safetensors_reader import DTYPES, map_tensors, reading


def test_a_mapped_file_is_not_copied(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(3)}, file)
    tensors = map_tensors(file)
    lines = [
        line
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(str(file))
    ]
    assert tensors
    assert lines


def test_every_type_is_read_as_safetensors_maps_it(tmp_path: Path) -> None:
    numbers = torch.arange(24)
    tensors = {name: numbers.to(dtype).reshape(2, 3, 4) for name, dtype in DTYPES.items()}
    tensors |= {
        "none": torch.zeros(0, 3),
        "one": torch.tensor(1.5),
        "odd": torch.ones(3, dtype=torch.uint8),
    }
    save_file(tensors, tmp_path / "a.safetensors")
    with reading(tmp_path / "a.safetensors", own=False) as begun, torch.device("meta"):
        read = begun.tensors()
    for name, tensor in map_tensors(tmp_path / "a.safetensors").items():
        assert read[name].dtype == tensor.dtype
        assert read[name].shape == tensor.shape
        assert (
            read[name].reshape(-1).view(torch.uint8).tolist()
            == tensor.reshape(-1).view(torch.uint8).tolist()
        )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        b"\x02" + b"\0" * 7 + b"[]",
        (20).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}}',
    ],
)
def test_a_file_that_is_none_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError), reading(path, own=False) as begun:
        begun.tensors()
