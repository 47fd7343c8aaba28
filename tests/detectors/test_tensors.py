"""What is loaded stays what it was, whatever becomes of its file."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import zoo
import zoo.weights
from zoo.detectors.tensors import TYPES, mapped, reading
from zoo.errors import CheckpointError
from zoo.testing import LoopbackHub


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return zoo.load("yolox_nano", weights=False).state_dict()


@pytest.fixture
def file(state: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    save_file(state, tmp_path / "nano.safetensors")
    return tmp_path / "nano.safetensors"


def copy_over(path: Path) -> None:
    other = path.with_name("other.safetensors")
    save_file({name: one + 1 for name, one in mapped(path).items()}, other)
    with path.open("r+b") as file:
        file.write(other.read_bytes())


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(100)


CHANGES = [
    copy_over,
    truncate,
    lambda path: torch.save({}, path),
    lambda path: save_file({"a": torch.zeros(3)}, path),
    Path.unlink,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_does_not_follow_its_file(
    file: Path, state: dict[str, torch.Tensor], change: Callable[[Path], None]
) -> None:
    loaded = zoo.load("yolox_nano", weights=file)
    change(file)
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, state[name])


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_model_can_be_saved_onto_the_file_it_came_from(
    state: dict[str, torch.Tensor], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"nano{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save(state, path)
    loaded = zoo.load("yolox_nano", weights=path)
    with torch.no_grad():
        loaded.get_parameter("head.obj_preds.0.bias").fill_(7)
    save(loaded.state_dict(), path)
    again = zoo.load("yolox_nano", weights=path)
    assert again.get_parameter("head.obj_preds.0.bias").item() == 7
    assert again.weights.sha256 != loaded.weights.sha256


def test_a_model_does_not_follow_the_cache_of_the_hub(
    file: Path, state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        commit = hub.add("org/net", {"model.safetensors": file})
        loaded = zoo.load("yolox_nano", weights=f"hub:org/net@{commit}", progress=False)
    truncate(loaded.weights.path)
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_a_file_that_only_the_zoo_writes_is_mapped_and_read_only(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    torch.save(state, tmp_path / "nano.pth")
    loaded = zoo.load("yolox_nano", weights=tmp_path / "nano.pth")
    path = loaded.weights.path
    lines = [
        line
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(str(path))
    ]
    assert lines
    assert not path.stat().st_mode & 0o222
    assert path.parent == Path(zoo.environment.home()) / "converted"


def test_every_type_is_read_as_safetensors_maps_it(tmp_path: Path) -> None:
    numbers = torch.arange(24)
    tensors = {name: numbers.to(dtype).reshape(2, 3, 4) for name, dtype in TYPES.items()}
    tensors |= {
        "none": torch.zeros(0, 3),
        "one": torch.tensor(1.5),
        "odd": torch.ones(3, dtype=torch.uint8),
    }
    save_file(tensors, tmp_path / "a.safetensors")
    with reading(tmp_path / "a.safetensors", own=False) as begun, torch.device("meta"):
        read = begun.tensors()
    for name, tensor in mapped(tmp_path / "a.safetensors").items():
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


def test_numbers_are_looked_at_once(file: Path) -> None:
    place = f"file:{file}"
    assert not zoo.weights.locate(place).finite
    zoo.load("yolox_nano", weights=file)
    assert zoo.weights.locate(place).finite
    shutil.copyfile(file, file.with_name("copy"))
    file.with_name("copy").replace(file)
    assert not zoo.weights.locate(place).finite


def test_a_forked_process_does_not_write_into_the_model(
    file: Path, state: dict[str, torch.Tensor]
) -> None:
    weight = zoo.load("yolox_nano", weights=file).get_parameter("head.obj_preds.0.bias").data
    before = weight.clone()
    child = os.fork()
    if child == 0:
        weight[0] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert torch.equal(weight, before)
