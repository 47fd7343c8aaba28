"""An image lies top left in its square, BGR on gray, and boxes find their way there and back."""

import numpy as np
import pytest
import torch
from detzoo_yolox.letterbox import Letterbox, resize
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.errors import UsageError


def boxed(*images: Tensor, size: int = 64) -> Tensor:
    return Letterbox((size, size))(images).pixels


def test_an_image_of_the_right_size_goes_in_unchanged_but_for_the_order_of_colors() -> None:
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    assert torch.equal(boxed(image)[0], image.flip(0).float())


def test_what_the_image_does_not_cover_is_gray() -> None:
    pixels = boxed(torch.zeros(3, 40, 80, dtype=torch.uint8))[0]
    assert pixels[:, :32].eq(0).all()
    assert pixels[:, 32:].eq(114).all()


def test_images_of_any_sizes_make_one_batch_in_order() -> None:
    images = [
        torch.full((3, height, width), value, dtype=torch.uint8)
        for height, width, value in ((9, 7, 1), (300, 500, 2), (64, 64, 3))
    ]
    assert boxed(*images)[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_no_images_make_an_empty_batch() -> None:
    assert tuple(boxed().shape) == (0, 3, 64, 64)


@pytest.mark.parametrize("shape", [(1, 1), (20000, 10), (10, 20000), (1, 5000)])
def test_extreme_images_keep_at_least_one_pixel_each_way(shape: tuple[int, int]) -> None:
    image = torch.full((3, *shape), 7, dtype=torch.uint8)
    assert boxed(image)[0, :, 0, 0].tolist() == [7, 7, 7]


@given(height=st.integers(1, 5000), width=st.integers(1, 5000), size=st.sampled_from([416, 640]))
def test_the_longer_edge_fills_the_square_and_the_aspect_is_kept(
    height: int, width: int, size: int
) -> None:
    transform, (rows, columns) = Letterbox((size, size)).fit(height, width)
    assert max(rows, columns) == size
    assert abs(rows - max(height * transform.scale_y, 1)) <= 1
    assert abs(columns - max(width * transform.scale_x, 1)) <= 1


@given(height=st.integers(2, 3000), width=st.integers(2, 3000), seed=st.integers(0, 9))
def test_boxes_survive_the_way_there_and_back(height: int, width: int, seed: int) -> None:
    corners = torch.rand(5, 2, 2, generator=torch.Generator().manual_seed(seed)).sort(dim=1).values
    boxes = (corners * torch.tensor([width, height])).flatten(1)
    transform, _ = Letterbox((416, 416)).fit(height, width)
    assert torch.allclose(transform.to_original(transform.to_input(boxes)), boxes, atol=1e-2)


def by_hand(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear between the four nearest pixels, half-pixel centers, in double precision, pixel by
    pixel."""

    def taps(target: int, count: int, source: int) -> tuple[int, int, float]:
        at = max((target + 0.5) * source / count - 0.5, 0)
        return int(at), min(int(at) + 1, source - 1), at - int(at)

    out = np.empty((3, height, width))
    for row in range(height):
        top, bottom, down = taps(row, height, image.shape[1])
        for column in range(width):
            left, right, across = taps(column, width, image.shape[2])
            upper = image[:, top, left] * (1 - across) + image[:, top, right] * across
            lower = image[:, bottom, left] * (1 - across) + image[:, bottom, right] * across
            out[:, row, column] = upper * (1 - down) + lower * down
    return out


@pytest.mark.parametrize("shape", [(5, 7), (12, 16), (47, 61), (49, 61), (200, 90), (997, 30)])
def test_resizing_is_bilinear_without_antialiasing_however_much_it_shrinks(
    shape: tuple[int, int],
) -> None:
    image = torch.randint(
        0, 256, (3, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    found = resize(image, 12, 16)
    assert torch.equal(found, found.round())
    wanted = torch.from_numpy(by_hand(image.flip(0).double().numpy(), 12, 16))  # as BGR
    assert (found - wanted).abs().max() <= 0.501


def test_the_layout_of_an_image_in_memory_changes_nothing() -> None:
    rows_first = torch.randint(0, 256, (700, 300, 3), dtype=torch.uint8).permute(2, 0, 1)
    assert torch.equal(boxed(rows_first), boxed(rows_first.contiguous()))


def test_half_precision_holds_every_pixel_value() -> None:
    image = torch.arange(192, dtype=torch.uint8).reshape(3, 8, 8) + 64
    half = Letterbox((8, 8))([image], dtype=torch.float16).pixels
    assert torch.equal(half[0].float(), image.flip(0).float())


@given(height=st.integers(1, 5000), width=st.integers(1, 5000))
def test_a_canvas_that_is_no_square_is_filled_one_way(height: int, width: int) -> None:
    transform, (rows, columns) = Letterbox((320, 640)).fit(height, width)
    assert rows == 320 or columns == 640
    assert rows <= 320
    assert columns <= 640
    assert transform.scale_x == min(320 / height, 640 / width)


def test_another_size_is_a_letterbox_of_that_size() -> None:
    assert Letterbox((416, 416)).at((320, 640)) == Letterbox((320, 640))
    assert tuple(Letterbox((416, 416)).at((320, 640))([]).pixels.shape) == (0, 3, 320, 640)


@pytest.mark.parametrize("size", [(0, 32), (416, 417)])
def test_another_size_is_a_multiple_of_the_coarsest_stride(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="coarsest stride is 32"):
        Letterbox((416, 416)).at(size)
