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
LARGE = ((700, 1000), (1500, 610))
COLOR = (203, 117, 46)  # no round numbers, which survive being rounded
GRAY = (117, 117, 117)
SHRINK = 2.5  # no whole number, which interpolations without antialiasing agree on
BLUR = 1.5  # pixels of the network's input, or of the image, about an edge that resizing may blur


def check_input_is_ready(detector: Detector) -> None:
    """A batch is `(b, 3, h, w)`, finite, on the network's device and of its float type, with one
    place an image."""
    batch = _prepared(detector, scene(), scene(seed=1))
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
    """`input_size` says what `preprocess` makes, so that images which share a batch need no padding
    for it."""
    for height, width in SIZES:
        made, said = (
            tuple(_prepared(detector, scene(height, width)).pixels.shape[2:]),
            detector.input_size(height, width),
        )
        require(
            made == tuple(said),
            f"Of {width} x {height}, input_size says {said} and preprocess makes {made}.",
        )


def check_places_lead_back(detector: Detector) -> None:
    """A box taken to the network's input and back is where it was (to a hundredth of a pixel), and
    inside the input."""
    for height, width in SIZES:
        batch = _prepared(detector, scene(height, width))
        place = batch.transforms[0]
        require(
            (place.height, place.width) == (height, width),
            f"An image of {width} x {height} has the place {place}.",
        )
        box = torch.tensor([[width / 4, height / 4, width, height]])
        placed = place.to_input(box)
        tall, wide = batch.pixels.shape[2:]
        require(
            bool((placed[:, 2:] <= torch.tensor([wide, tall]) + 1).all()),
            f"The image's corner is outside the input: {place}.",
        )
        back = place.to_original(placed)
        require(
            torch.allclose(back, box, atol=0.01),
            f"The box {box[0].tolist()} came back as {back[0].tolist()}.",
        )


def check_places_point_at_the_pixels(detector: Detector) -> None:
    """A bright object in an image, small or large, is bright in the network's input where its place
    says, and nowhere else.

    Looked at near the edges of a white rectangle on black: a pixel and a half inside of them, and
    outside.
    """
    for height, width in (*SIZES, *LARGE):
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
        dark, bright, made = (_prepared(detector, image) for image in (black, white, square))
        place, pixels = made.transforms[0], made.pixels[0].float()
        share = (pixels - dark.pixels[0].float()).abs() / (
            bright.pixels[0] - dark.pixels[0]
        ).float().abs().clamp(min=1e-6)
        placed = place.to_input(box.float())[0]
        blur = BLUR * torch.tensor([place.scale_x, place.scale_y] * 2).clamp(min=1)
        inner, outer = _pixels(placed, blur), _pixels(placed, -blur)
        covered = _pixels(place.to_input(torch.tensor([[0.0, 0.0, width, height]]))[0], blur)
        wrong = f"Of a white box at {box[0].tolist()} in a black image of {width} x {height}"
        require(
            bool((share[(slice(None), *inner)] > 0.5).all()),
            f"{wrong}, not all is white in the input where it should be.",
        )
        share[(slice(None), *outer)] = 0
        require(
            bool((share[(slice(None), *covered)] < 0.5).all()),
            f"{wrong}, something is white in the input elsewhere.",
        )


def check_prepared_as_declared(model: Model) -> None:
    """Size, mean, deviation, range, channel order and padding are those of the card's `input`.

    Looked at in images of one color, so that the kind of interpolation does not matter, and in
    noise that needs no resizing.
    Tolerance: a pixel of size, 1 % of the range of values.
    """
    rule = model.need_card().input
    if rule is None:
        raise NotApplicable("Its card declares no input.")
    for (height, width), color in product((*SIZES, *LARGE), (COLOR, GRAY)):
        image = (
            torch.tensor(color, dtype=torch.uint8)[:, None, None]
            .expand(3, height, width)
            .contiguous()
        )
        batch = _prepared(model.plain, image)
        place, pixels = batch.transforms[0], batch.pixels[0].float().cpu()
        _check_size(place, resized(Size(height, width), rule), f"{width} x {height}")
        _check_values(pixels, place, color, rule)
    _check_details(model.plain, rule)


def check_resized_as_declared(model: Model) -> None:
    """Images are shrunk with the interpolation and antialiasing that the card's `input` declares.

    Looked at in noise of two and a half times the input's size. Tolerance: on average 1 % of the
    range of values, of which noise resized otherwise differs by five and more.
    """
    rule = model.need_card().input
    if rule is None:
        raise NotApplicable("Its card declares no input.")
    sides = rule.size[0], rule.size[0 if rule.resize == "shortest_edge" else 1]
    height, width = (round(side * SHRINK) for side in sides)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)
    batch = _prepared(model.plain, noise)
    place = batch.transforms[0]
    size = Size(round(height * place.scale_y), round(width * place.scale_x))
    top, left = round(place.top), round(place.left)
    made = batch.pixels[0, :, top : top + size.height, left : left + size.width].float().cpu()
    expected = _values(resize(noise, size, rule), rule)
    apart = float((made - expected).abs().mean() / _spread(rule).max())
    require(
        apart <= 0.01,
        f"The card shrinks images by {rule.interpolation} interpolation "
        f"{'with' if rule.antialias else 'without'} antialiasing, and preprocess makes pixels that "
        f"differ from that by {apart:.1%} on average.",
    )


def _check_size(place: InputTransform, wanted: Size, image: str) -> None:
    made = place.height * place.scale_y, place.width * place.scale_x
    near = abs(made[0] - wanted.height) <= 1 and abs(made[1] - wanted.width) <= 1
    size = f"{made[1]:.1f} x {made[0]:.1f}"
    require(
        near,
        f"The card resizes an image of {image} to {wanted.width} x {wanted.height}, and "
        f"preprocess to {size}.",
    )


def _check_values(
    pixels: Tensor, place: InputTransform, color: tuple[int, ...], rule: Input
) -> None:
    wanted = _values(torch.tensor(color)[:, None, None], rule).flatten()
    height, width = place.height * place.scale_y, place.width * place.scale_x
    tolerance = 0.01 * float(_spread(rule).max())
    middle = pixels[:, int(place.top + height / 2), int(place.left + width / 2)]  # (3,)
    same = torch.allclose(middle, wanted, atol=tolerance)
    require(
        same,
        f"RGB {color} is {_shown(wanted)} by the card's input, and {_shown(middle)} after "
        f"preprocess.",
    )
    below = int(place.top + height + 1)
    if not place.top and below < pixels.shape[1]:
        padding = pixels[:, below, 0]
        filled = torch.allclose(padding, torch.full((3,), rule.padding), atol=tolerance)
        require(
            filled, f"The card pads with {rule.padding:g}, and preprocess with {_shown(padding)}."
        )


def _check_details(detector: Detector, rule: Input) -> None:
    """Noise of the size that images are resized to arrives as it is: neither blurred nor
    rounded."""
    height, width = rule.size[0], rule.size[0 if rule.resize == "shortest_edge" else 1]
    noise = torch.randint(
        0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    batch = _prepared(detector, noise)
    top, left = round(batch.transforms[0].top), round(batch.transforms[0].left)
    made = batch.pixels[0, :, top : top + height, left : left + width].float().cpu()
    apart = float((made - _values(noise, rule)).abs().mean() / _spread(rule).max())
    size = f"{width} x {height}"
    require(
        apart <= 0.01,
        f"An image of {size} pixels needs no resizing, and preprocess changes its pixels by "
        f"{apart:.1%} on average.",
    )


def _values(image: Tensor, rule: Input) -> Tensor:
    """Pixels `(3, h, w)` of 0..255 as they are in the network's input."""
    mean, std = (
        torch.tensor(given)[:, None, None]
        for given in (rule.mean or [0.0] * 3, rule.std or [1.0] * 3)
    )
    return ((image if rule.channels == "rgb" else image.flip(0)) / 255 * rule.range - mean) / std


def _spread(rule: Input) -> Tensor:
    return rule.range / torch.tensor(rule.std or [1.0] * 3)


def _shown(values: Tensor) -> str:
    return "[" + ", ".join(f"{value:.3g}" for value in values.tolist()) + "]"


def _pixels(box: Tensor, within: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the pixels that lie inside of a box in the network's input by so much, or
    outside of it by less."""
    left, top, right, bottom = (box + within * torch.tensor([1, 1, -1, -1])).tolist()
    return slice(max(math.ceil(top), 0), max(math.floor(bottom), 0)), slice(
        max(math.ceil(left), 0), max(math.floor(right), 0)
    )


def _prepared(detector: Detector, *images: Tensor) -> Batch:
    with eval_mode(detector), torch.inference_mode():
        return preprocess(detector, images)
