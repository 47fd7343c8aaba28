"""Arrays and tensors: every shape and type gives an image or an ImageError that says what to
pass."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from zoo.errors import ImageError
from zoo.images import read

DTYPES = [
    bool,
    np.uint8,
    np.int8,
    np.uint16,
    np.int32,
    np.int64,
    np.uint64,
    np.float16,
    np.float32,
    np.float64,
    np.complex64,
    "U3",
    "O",
]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5)


def test_gray_arrays_have_three_equal_channels(pixels):
    gray = pixels[..., 0]
    for form in (
        gray,
        gray[..., None],
        torch.from_numpy(gray),
        torch.from_numpy(gray)[None],
        np.asfortranarray(gray),
    ):
        image = read(form)
        assert image.pixels.shape == (3, 9, 14)
        assert all(np.array_equal(plane, gray) for plane in image.pixels.numpy())


def test_the_fourth_channel_is_dropped(pixels):
    rgba = np.dstack([pixels, np.zeros((9, 14), np.uint8)])
    assert torch.equal(read(rgba).pixels, read(pixels).pixels)
    assert torch.equal(read(torch.from_numpy(rgba).permute(2, 0, 1)).pixels, read(pixels).pixels)


def test_every_uint8_value_survives_being_a_float():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    for dtype in (torch.float16, torch.float32, torch.float64):
        assert torch.equal(read(levels.to(dtype) / 255).pixels[:1], levels)
    for dtype in (np.float16, np.float32, np.float64):
        assert np.array_equal(read(levels[0].numpy().astype(dtype) / 255).pixels[0], levels[0])


def test_read_only_and_reversed_arrays_are_fine(pixels):
    pixels.setflags(write=False)
    assert torch.equal(read(pixels[::-1, ::-1]).pixels, read(pixels).pixels.flip(1, 2))


def test_a_tensor_that_trains_stays_as_it_is(pixels):
    tensor = (torch.from_numpy(pixels).permute(2, 0, 1) / 255).requires_grad_()
    before = tensor.detach().clone()
    assert not read(tensor).pixels.requires_grad
    assert torch.equal(tensor, before)


@pytest.mark.parametrize(
    ("source", "case", "fix"),
    [
        (np.zeros((2, 8, 8, 3), np.uint8), r"array of shape \(2, 8, 8, 3\)", r"list\(array\)"),
        (
            torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
            r"tensor of shape \(2, 3, 8, 8\)",
            r"list\(tensor\)",
        ),
        (
            np.zeros((3, 8, 9), np.uint8),
            r"array of shape \(3, 8, 9\)",
            r"array\.transpose\(1, 2, 0\)",
        ),
        (
            torch.zeros(8, 9, 3, dtype=torch.uint8),
            r"tensor of shape \(8, 9, 3\)",
            r"tensor\.permute\(2, 0, 1\)",
        ),
        (np.zeros((8, 9, 2), np.uint8), r"shape \(8, 9, 2\)", r"\(height, width, 3\) in RGB order"),
        (
            torch.zeros(5, 9, 8, dtype=torch.uint8),
            r"shape \(5, 9, 8\)",
            r"\(3, height, width\) in RGB order",
        ),
        (np.zeros((0, 9, 3), np.uint8), "no pixels", "at least one"),
        (torch.zeros(3, 0, 5), "no pixels", "at least one"),
        (
            np.full((4, 4, 3), 200.0),
            "floats go from 200 to 200",
            r"0\.\.255 as uint8, array\.astype\('uint8'\)",
        ),
        (
            torch.full((3, 4, 4), 200.0),
            "floats go from 200 to 200",
            r"0\.\.255 as uint8, tensor\.to\(torch\.uint8\)",
        ),
        (torch.empty(3, 4, 4, dtype=torch.uint8, device="meta"), "meta device", "with pixels"),
        (torch.randn(3, 64, 64), "floats go from -", "undo a normalisation"),
        (torch.full((3, 4, 4), torch.nan), "floats go from nan", "uint8"),
        (np.zeros((4, 4, 3), np.uint16), "array of uint16", "0..255"),
        (
            torch.zeros(3, 4, 4, dtype=torch.int64),
            r"tensor of torch\.int64",
            r"tensor\.to\(torch\.uint8\)",
        ),
    ],
)
def test_what_no_image_can_be_is_refused_with_what_to_pass(source, case, fix):
    with pytest.raises(ImageError, match=f"'image 5'.*\n.*{case}.*\n.*{fix}"):
        read(source, name="image 5")


@settings(max_examples=300)
@given(data=st.data(), dtype=st.sampled_from(DTYPES), shape=SHAPES)
def test_any_array_gives_an_image_or_an_image_error(data, dtype, shape):
    array = (
        data.draw(arrays.arrays(np.dtype(dtype), shape))
        if dtype != "O"
        else np.empty(shape, object)
    )
    _image_or_error(array, height_and_width=array.shape[:2])


@settings(max_examples=300)
@given(
    data=st.data(), dtype=st.sampled_from([*DTYPES[:2], *DTYPES[4:6], *DTYPES[7:11]]), shape=SHAPES
)
def test_any_tensor_gives_an_image_or_an_image_error(data, dtype, shape):
    tensor = torch.from_numpy(np.array(data.draw(arrays.arrays(np.dtype(dtype), shape))))
    _image_or_error(tensor, height_and_width=tuple(tensor.shape[-2:]))


def _image_or_error(source, *, height_and_width):
    try:
        image = read(source)
    except ImageError:
        return
    assert image.pixels.dtype == torch.uint8
    assert image.pixels.shape == (3, *height_and_width)
    assert image.pixels.is_contiguous()
