"""Checkpoints with numbers of odd types, or that are none."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

import zoo
from zoo.detectors.numbers import check_finite
from zoo.errors import CheckpointError

NAME = "head.obj_preds.0.bias"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return zoo.load("yolox_nano", weights=False).state_dict()


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
    check_finite({"a": tensor}, asked="")
    tensor[place] = data.draw(st.sampled_from([float("nan"), float("inf"), -float("inf")]))
    with pytest.raises(CheckpointError, match="'a', 1 number is not finite"):
        check_finite({"a": tensor}, asked="")


def test_what_has_no_numbers_is_finite() -> None:
    check_finite(
        {
            "a": torch.zeros(0),
            "b": torch.ones(2, dtype=torch.int64),
            "c": torch.ones(2, dtype=torch.bool),
        },
        asked="",
    )
