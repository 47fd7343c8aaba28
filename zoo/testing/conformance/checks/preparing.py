"""`preprocess` makes the input that was declared, and says the way back from it."""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor

from zoo.contract import Batch, InputTransform
from zoo.detectors.detector import Detector
from zoo.detectors.preprocess import Size, resize, resized
from zoo.inference.runner import eval_mode
from zoo.registry.card import Input
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import preprocess, scene
from zoo.testing.conformance.model import Model

SIZES = ((48, 64), (33, 57), (90, 30))
LARGE_SIZES = ((700, 1000), (1500, 610))
COLOR = (203, 117, 46)  # no round numbers, which survive being rounded
GRAY = (117, 117, 117)
SHRINK = 2.5  # not a whole number, for which interpolations without antialiasing agree
BLUR = 1.5  # pixels of the network's input, or of the image, that resizing may blur at an edge


def check_input_is_ready(detector: Detector) -> None:
    """The pixels of a batch are `(b, 3, h, w)`, finite, on the network's device and of its float
    type, with one transform per image."""
    batch = _input_batch(detector, scene(), scene(seed=1))
    pixels = batch.pixels
    require(
        pixels.ndim == 4 and tuple(pixels.shape[:2]) == (2, 3),
        f"Two images became pixels {tuple(pixels.shape)}.",
    )
    require(len(batch.transforms) == 2, f"Two images have {len(batch.transforms)} transforms.")
    require(
        pixels.device == detector.device,
        f"Pixels are on {pixels.device}, the network is on {detector.device}.",
    )
    require(
        pixels.dtype == detector.dtype,
        f"Pixels are {pixels.dtype}, the network is {detector.dtype}.",
    )
    require(bool(pixels.isfinite().all()), "Pixels are not finite.")


def check_input_size_kept(detector: Detector) -> None:
    """`input_size` is the size that `preprocess` makes, so that images which share a batch need no
    further padding."""
    for height, width in SIZES:
        size = tuple(_input_batch(detector, scene(height, width)).pixels.shape[2:])
        declared = detector.input_size(height, width)
        require(
            size == tuple(declared),
            f"For an image of {width} x {height}, input_size is {declared}, and preprocess makes "
            f"{size}.",
        )


def check_places_lead_back(detector: Detector) -> None:
    """A box transformed to the network's input and back is the same (to a hundredth of a pixel),
    and lies inside the input."""
    for height, width in SIZES:
        batch = _input_batch(detector, scene(height, width))
        transform = batch.transforms[0]
        require(
            (transform.height, transform.width) == (height, width),
            f"An image of {width} x {height} has the transform {transform}.",
        )
        box = torch.tensor([[width / 4, height / 4, width, height]])
        placed = transform.to_input(box)
        tall, wide = batch.pixels.shape[2:]
        require(
            bool((placed[:, 2:] <= torch.tensor([wide, tall]) + 1).all()),
            f"The image's corner is outside the input: {transform}.",
        )
        back = transform.to_original(placed)
        require(
            torch.allclose(back, box, atol=0.01),
            f"The box {box[0].tolist()} came back as {back[0].tolist()}.",
        )


def check_places_point_at_the_pixels(detector: Detector) -> None:
    """A white rectangle in a black image, small or large, is white in the network's input where its
    transform says, and nowhere else.

    Pixels within a pixel and a half of its edges may be blurred.
    """
    for height, width in (*SIZES, *LARGE_SIZES):
        box = torch.tensor(
            [
                [
                    round(width * 0.25),
                    round(height * 0.375),
                    round(width * 0.625),
                    round(height * 0.875),
                ]
            ]
        )
        left, top, right, bottom = box[0].tolist()
        black = torch.zeros(3, height, width, dtype=torch.uint8)
        white, square = torch.full_like(black, 255), black.clone()
        square[:, top:bottom, left:right] = 255
        dark, bright, boxed = (_input_batch(detector, image) for image in (black, white, square))
        transform, pixels = boxed.transforms[0], boxed.pixels[0].float()
        share = (pixels - dark.pixels[0].float()).abs() / (
            bright.pixels[0] - dark.pixels[0]
        ).float().abs().clamp(min=1e-6)
        placed = transform.to_input(box.float())[0]
        blur = BLUR * torch.tensor([transform.scale_x, transform.scale_y] * 2).clamp(min=1)
        inner, outer = _pixels(placed, blur), _pixels(placed, -blur)
        covered = _pixels(transform.to_input(torch.tensor([[0.0, 0.0, width, height]]))[0], blur)
        case = f"Of a white box at {box[0].tolist()} in a black image of {width} x {height}"
        require(
            bool((share[(slice(None), *inner)] > 0.5).all()),
            f"{case}, the input is not white everywhere inside it.",
        )
        share[(slice(None), *outer)] = 0
        require(
            bool((share[(slice(None), *covered)] < 0.5).all()),
            f"{case}, the input is white outside it.",
        )


def check_prepared_as_declared(model: Model) -> None:
    """Size, mean, deviation, range, channel order and padding are those of the card's `input`.

    Checked with images of one color, for which interpolation does not matter, and with noise that
    needs no resizing.
    Tolerance: a pixel of size, 1 % of the range of values.
    """
    rule = model.need_card().input
    if rule is None:
        raise NotApplicable("Its card declares no input.")
    for (height, width), color in product((*SIZES, *LARGE_SIZES), (COLOR, GRAY)):
        image = (
            torch.tensor(color, dtype=torch.uint8)[:, None, None]
            .expand(3, height, width)
            .contiguous()
        )
        batch = _input_batch(model.plain, image)
        transform, pixels = batch.transforms[0], batch.pixels[0].float().cpu()
        _check_size(transform, resized(Size(height, width), rule), f"{width} x {height}")
        _check_values(pixels, transform, color, rule)
    _check_details(model.plain, rule)


def check_resized_as_declared(model: Model) -> None:
    """Images are shrunk with the interpolation and antialiasing that the card's `input` declares.

    Checked with noise of two and a half times the input's size.
    Tolerance: 1 % of the range of values on average; other ways of resizing differ by 5 % or more.
    """
    rule = model.need_card().input
    if rule is None:
        raise NotApplicable("Its card declares no input.")
    sides = rule.size[0], rule.size[0 if rule.resize == "shortest_edge" else 1]
    height, width = (round(side * SHRINK) for side in sides)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)
    batch = _input_batch(model.plain, noise)
    transform = batch.transforms[0]
    size = Size(round(height * transform.scale_y), round(width * transform.scale_x))
    top, left = round(transform.top), round(transform.left)
    resized_pixels = (
        batch.pixels[0, :, top : top + size.height, left : left + size.width].float().cpu()
    )
    expected = _values(resize(noise, size, rule), rule)
    apart = float((resized_pixels - expected).abs().mean() / _spread(rule).max())
    require(
        apart <= 0.01,
        f"The card shrinks images by {rule.interpolation} interpolation "
        f"{'with' if rule.antialias else 'without'} antialiasing, and preprocess makes pixels that "
        f"differ from that by {apart:.1%} on average.",
    )


def _check_size(transform: InputTransform, expected: Size, image: str) -> None:
    height, width = transform.height * transform.scale_y, transform.width * transform.scale_x
    near = abs(height - expected.height) <= 1 and abs(width - expected.width) <= 1
    require(
        near,
        f"The card resizes an image of {image} to {expected.width} x {expected.height}, and "
        f"preprocess to {width:.1f} x {height:.1f}.",
    )


def _check_values(
    pixels: Tensor, transform: InputTransform, color: tuple[int, ...], rule: Input
) -> None:
    expected = _values(torch.tensor(color)[:, None, None], rule).flatten()
    height, width = transform.height * transform.scale_y, transform.width * transform.scale_x
    tolerance = 0.01 * float(_spread(rule).max())
    middle = pixels[:, int(transform.top + height / 2), int(transform.left + width / 2)]  # (3,)
    same = torch.allclose(middle, expected, atol=tolerance)
    require(
        same,
        f"RGB {color} is {_format_values(expected)} by the card's input, and "
        f"{_format_values(middle)} after preprocess.",
    )
    below = int(transform.top + height + 1)
    if not transform.top and below < pixels.shape[1]:
        padding = pixels[:, below, 0]
        filled = torch.allclose(padding, torch.full((3,), rule.padding), atol=tolerance)
        require(
            filled,
            f"The card pads with {rule.padding:g}, and preprocess with {_format_values(padding)}.",
        )


def _check_details(detector: Detector, rule: Input) -> None:
    """Checks that noise of the input's size is neither blurred nor rounded."""
    height, width = rule.size[0], rule.size[0 if rule.resize == "shortest_edge" else 1]
    noise = torch.randint(
        0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    batch = _input_batch(detector, noise)
    top, left = round(batch.transforms[0].top), round(batch.transforms[0].left)
    prepared = batch.pixels[0, :, top : top + height, left : left + width].float().cpu()
    apart = float((prepared - _values(noise, rule)).abs().mean() / _spread(rule).max())
    size = f"{width} x {height}"
    require(
        apart <= 0.01,
        f"An image of {size} pixels needs no resizing, and preprocess changes its pixels by "
        f"{apart:.1%} on average.",
    )


def _values(image: Tensor, rule: Input) -> Tensor:
    """Pixels `(3, h, w)` from 0 to 255, normalised as the card's `input` says."""
    mean, std = (
        torch.tensor(values)[:, None, None]
        for values in (rule.mean or [0.0] * 3, rule.std or [1.0] * 3)
    )
    return ((image if rule.channels == "rgb" else image.flip(0)) / 255 * rule.range - mean) / std


def _spread(rule: Input) -> Tensor:
    return rule.range / torch.tensor(rule.std or [1.0] * 3)


def _format_values(values: Tensor) -> str:
    return "[" + ", ".join(f"{value:.3g}" for value in values.tolist()) + "]"


def _pixels(box: Tensor, within: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the pixels in a box `(4,)` of the network's input, shrunk by `within` at
    each edge, or grown if that is negative."""
    left, top, right, bottom = (box + within * torch.tensor([1, 1, -1, -1])).tolist()
    return slice(max(math.ceil(top), 0), max(math.floor(bottom), 0)), slice(
        max(math.ceil(left), 0), max(math.floor(right), 0)
    )


def _input_batch(detector: Detector, *images: Tensor) -> Batch:
    with eval_mode(detector), torch.inference_mode():
        return preprocess(detector, images)
