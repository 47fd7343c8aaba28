"""Weights go into a network whole or not at all, without a copy, and a misfit is explained tensor
by tensor. What is loaded stays what it was, whatever becomes of its file."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

import zoo
import zoo.weights
from zoo.detectors.checkpoint import DTYPES, assign, check_finite, map_tensors, reading
from zoo.errors import CheckpointError
from zoo.testing import LoopbackHub


@pytest.fixture
def nano() -> zoo.Detector:
    return zoo.load("yolox_nano", weights=False)


@pytest.fixture
def state(nano: zoo.Detector) -> dict[str, torch.Tensor]:
    return nano.state_dict()


@pytest.fixture
def file(state: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    save_file(state, tmp_path / "nano.safetensors")
    return tmp_path / "nano.safetensors"


def test_a_network_gets_the_tensors_of_the_file(nano: zoo.Detector, file: Path) -> None:
    other = zoo.load("yolox_nano", weights=f"file:{file}")
    loaded = other.state_dict()
    for name, tensor in nano.state_dict().items():
        assert torch.equal(loaded[name], tensor)


def test_the_weights_are_views_of_the_mapped_file(file: Path) -> None:
    tensors = map_tensors(file)
    lines = [
        line
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(str(file))
    ]
    assert tensors
    assert lines


def test_training_a_loaded_network_leaves_the_file_alone(file: Path) -> None:
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    detector = zoo.load("yolox_nano", weights=f"file:{file}")
    with torch.no_grad():
        for weight in detector.parameters():
            weight.add_(1)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_a_loaded_network_can_be_trained(file: Path) -> None:
    detector = zoo.load("yolox_nano", weights=f"file:{file}")
    assert all(weight.requires_grad and weight.is_leaf for weight in detector.parameters())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda state: state.pop("head.obj_preds.0.bias"),
            "1 tensor is missing: head.obj_preds.0.bias",
        ),
        (lambda state: state.update(extra=torch.zeros(1)), "1 tensor is unexpected: extra"),
        (
            lambda state: state.update({"head.obj_preds.0.bias": torch.zeros(7)}),
            "head.obj_preds.0.bias (7,), not (1,)",
        ),
    ],
    ids=["missing", "unexpected", "mis-shaped"],
)
def test_a_misfit_names_the_tensors(nano: zoo.Detector, change, said: str) -> None:
    state = dict(nano.state_dict())
    change(state)
    with pytest.raises(CheckpointError) as caught:
        assign(nano, state, failure="A test.")
    assert said in str(caught.value).replace("\n", " ")


def test_many_misfits_are_counted_not_listed(nano: zoo.Detector) -> None:
    with pytest.raises(CheckpointError) as caught:
        assign(nano, {}, failure="A test.")
    assert " more" in str(caught.value)


def test_half_precision_weights_become_the_networks_own_type(
    nano: zoo.Detector, tmp_path: Path
) -> None:
    half = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in nano.state_dict().items()
    }
    save_file(half, tmp_path / "half.safetensors")
    detector = zoo.load("yolox_nano", weights=f"file:{tmp_path / 'half.safetensors'}")
    assert detector.dtype == torch.float32


def test_a_file_of_ones_own_with_numbers_that_are_none_is_refused(
    nano: zoo.Detector, tmp_path: Path
) -> None:
    state = nano.state_dict()
    name = "head.cls_preds.0.bias"
    state[name] = state[name].clone()
    state[name][3:5] = torch.tensor([float("nan"), float("inf")])
    save_file(state, tmp_path / "diverged.safetensors")
    with pytest.raises(CheckpointError, match=f"Of the tensor '{name}', 2 numbers are not finite"):
        zoo.load("yolox_nano", weights=f"file:{tmp_path / 'diverged.safetensors'}")


def test_weights_for_other_classes_say_for_how_many(nano: zoo.Detector, file: Path) -> None:
    from zoo.detectors.build import on_meta_device
    from zoo.testing import Model

    with on_meta_device():
        other = Model.named("yolox_nano").make(zoo.LabelSpace.custom(["helmet", "vest"]))
    with pytest.raises(CheckpointError, match="They are for 80 classes, not 2"):
        assign(other, nano.state_dict(), failure="")


NAME = "head.obj_preds.0.bias"


def loaded(state: dict[str, torch.Tensor], folder: Path) -> zoo.Detector:
    save_file(state, folder / "nano.safetensors")
    return zoo.load("yolox_nano", weights=folder / "nano.safetensors")


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_float8_becomes_float32_and_that_is_said(
    state: dict[str, torch.Tensor],
    dtype: torch.dtype,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state[NAME] = torch.tensor([0.5]).to(dtype)
    assert loaded(state, tmp_path).state_dict()[NAME].item() == 0.5
    assert "1 tensor of float8 became float32" in caplog.text


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.complex64])
def test_quantised_and_complex_numbers_are_refused(
    state: dict[str, torch.Tensor], dtype: torch.dtype, tmp_path: Path
) -> None:
    state[NAME] = torch.ones(1).to(dtype)
    with pytest.raises(CheckpointError, match=rf"{NAME}' holds {str(dtype)[6:]} numbers"):
        loaded(state, tmp_path)


@given(
    st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16]),
    st.integers(0, 999),
    st.data(),
)
def test_a_number_that_is_none_is_found_wherever_it_is(
    dtype: torch.dtype, place: int, data: st.DataObject
) -> None:
    tensor = torch.linspace(-3, 3, 1000).to(dtype)
    check_finite({"a": tensor}, failure="")
    tensor[place] = data.draw(st.sampled_from([float("nan"), float("inf"), -float("inf")]))
    with pytest.raises(CheckpointError, match="'a', 1 number is not finite"):
        check_finite({"a": tensor}, failure="")


def test_what_has_no_numbers_is_finite() -> None:
    check_finite(
        {
            "a": torch.zeros(0),
            "b": torch.ones(2, dtype=torch.int64),
            "c": torch.ones(2, dtype=torch.bool),
        },
        failure="",
    )


def copy_over(path: Path) -> None:
    other = path.with_name("other.safetensors")
    save_file({name: one + 1 for name, one in map_tensors(path).items()}, other)
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
