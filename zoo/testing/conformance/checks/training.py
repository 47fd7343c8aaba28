"""Checks that the loss trains: finite, connected to the weights, with and without objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from zoo.contract import Batch, Target
from zoo.detectors.detector import Detector
from zoo.errors import LabelError
from zoo.testing.conformance.errors import ConformanceError, require
from zoo.testing.conformance.images import (
    BOX,
    HEIGHT,
    WIDTH,
    detect,
    no_objects,
    one_target,
    preprocess,
    scene,
)
from zoo.testing.conformance.train_mode import train_mode
from zoo.text import join_first

MAX_NAMES_SHOWN = 4
DIGITS = 6  # of a loss; further ones are rounding
MIN_TRIALS = 2  # trials in any case; further ones only for what had no gradient
MAX_TRIALS = 12
OBJECTS = 12  # random ones in an image
MIN_SIDE = 0.02  # of its side
ELSEWHERE, EVERYWHERE = (32.0, 16.0, 64.0, 48.0), (0.0, 0.0, float(WIDTH), float(HEIGHT))


def check_loss_is_finite(detector: Detector) -> None:
    """In train mode the loss is a dict of finite scalars."""
    with train_mode(detector):
        losses = _losses(detector, [one_target(), one_target()])
        require(
            isinstance(losses, dict) and len(losses) > 0,
            f"loss returned {type(losses).__name__}, not a dict of tensors.",
        )
        for name, loss in losses.items():
            require(
                isinstance(loss, Tensor) and loss.ndim == 0,
                f"The loss '{name}' is not a scalar tensor.",
            )
            require(bool(loss.isfinite()), f"The loss '{name}' is {float(loss.detach())}.")


def check_gradients_reach_every_part(detector: Detector) -> None:
    """Every trainable parameter gets a finite gradient, whatever the objects, and one that is not 0
    for some of them.

    Tried with two usual objects, two as large as the image, and then random ones in images of two
    sizes, until every parameter had a gradient. A parameter of zeros, which would block the
    gradients of others, is moved away from 0.
    """
    with train_mode(detector), _moved_from_zero(detector):
        trainable = {
            name: parameter
            for name, parameter in detector.named_parameters()
            if parameter.requires_grad
        }
        require(bool(trainable), "It has no trainable parameter.")
        starving = set(trainable)
        for number in range(MAX_TRIALS):
            if number >= MIN_TRIALS and not starving:
                return
            detector.zero_grad()
            _backward(
                detector,
                _objects(number, len(detector.label_space)),
                scale=1 + number % 2,
                seed=number,
            )
            without = [name for name, parameter in trainable.items() if parameter.grad is None]
            require(not without, f"No gradient reaches {join_first(without, MAX_NAMES_SHOWN)}.")
            broken = [
                name
                for name, parameter in trainable.items()
                if parameter.grad is not None and not parameter.grad.isfinite().all()
            ]
            require(
                not broken, f"Gradients are not finite in {join_first(broken, MAX_NAMES_SHOWN)}."
            )
            starving -= {
                name
                for name, parameter in trainable.items()
                if parameter.grad is not None and bool(parameter.grad.any())
            }
        unreached = [name for name in trainable if name in starving]
        names = join_first(unreached, MAX_NAMES_SHOWN)
        case = f"The gradient is 0, whatever the objects in {2 * MAX_TRIALS} images, in {names}"
        require(
            not unreached,
            f"{case}. If its cells are larger than the input, check it with a larger input.",
        )


def check_image_without_objects_trains(detector: Detector) -> None:
    """A batch in which one image has no object gives a finite loss and finite gradients."""
    _check_trains(detector, [one_target(), no_objects()])


def check_a_batch_without_objects_trains(detector: Detector) -> None:
    """A batch in which no image has an object gives a finite loss and finite gradients."""
    _check_trains(detector, [no_objects(), no_objects()])


def check_loss_follows_the_truth(detector: Detector) -> None:
    """The loss changes if the object is elsewhere, is larger, or is of another class."""
    with train_mode(detector):
        usual, elsewhere, larger = (
            _values(_losses(detector, [one_target(), one_target(box=box)]))
            for box in (BOX, ELSEWHERE, EVERYWHERE)
        )
        require(elsewhere != usual, f"The loss is the same when an object is elsewhere: {usual}.")
        require(larger != usual, f"The loss is the same when an object is larger: {usual}.")
        if len(detector.label_space) > 1:
            # The box overlaps any box that is predicted.
            last = one_target(len(detector.label_space) - 1, box=EVERYWHERE)
            other = _values(_losses(detector, [one_target(), last]))
            require(
                other != larger,
                f"The loss is the same when an object is of another class: {larger}.",
            )


def check_truth_untouched(detector: Detector) -> None:
    """The loss changes neither the targets nor the batch."""
    targets, again = [one_target(), one_target()], one_target()
    with train_mode(detector):
        batch = preprocess(detector, [scene(seed=1), scene(seed=2)])
        pixels = batch.pixels.clone()
        detector.loss(detector(batch, targets), batch, targets)
        require(torch.equal(batch.pixels, pixels), "The loss changed its batch.")
    for target in targets:
        same = torch.equal(target.boxes, again.boxes) and torch.equal(target.labels, again.labels)
        require(same, "The loss changed its targets.")


def check_unknown_label_refused(detector: Detector) -> None:
    """A label outside the label space raises a LabelError."""
    with train_mode(detector):
        try:
            _losses(detector, [one_target(len(detector.label_space)), one_target()])
        except LabelError:
            return
    raise ConformanceError(
        f"The loss accepts the label {len(detector.label_space)} in a label space of "
        f"{len(detector.label_space)}."
    )


def check_mode_restored(detector: Detector) -> None:
    """After detect(), every submodule is in train or eval mode as before."""
    with train_mode(detector):
        modules = dict(detector.named_modules())
        for position, module in enumerate(modules.values()):
            module.training = position % 2 == 0
        before = {name: module.training for name, module in modules.items()}
        detect(detector, scene())
        changed = [
            name or "the detector"
            for name, module in modules.items()
            if module.training != before[name]
        ]
        require(
            not changed, f"Detecting changed the mode of {join_first(changed, MAX_NAMES_SHOWN)}."
        )


def check_detecting_leaves_no_trace(detector: Detector) -> None:
    """Detecting in train mode changes no weight, no running statistic and no gradient."""
    with train_mode(detector):
        before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
        detect(detector, scene())
        changed = [
            name
            for name, tensor in detector.state_dict().items()
            if not torch.equal(tensor, before[name])
        ]
        require(not changed, f"Detecting changed {join_first(changed, MAX_NAMES_SHOWN)}.")
        graded = [
            name for name, parameter in detector.named_parameters() if parameter.grad is not None
        ]
        require(not graded, f"Detecting left gradients in {join_first(graded, MAX_NAMES_SHOWN)}.")


def _losses(
    detector: Detector, targets: Sequence[Target], *, scale: int = 1, seed: int = 0
) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    images = [scene(scale * HEIGHT, scale * WIDTH, seed=2 * seed + number) for number in (1, 2)]
    batch: Batch = preprocess(detector, images)
    return detector.loss(detector(batch, targets), batch, targets)


def _values(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: round(float(loss.detach()), DIGITS) for name, loss in losses.items()}


def _objects(number: int, classes: int) -> list[Target]:
    """The targets of two images for one of the trials: usual objects, large ones, then twelve
    random ones of any size."""
    scale = 1 + number % 2
    if number < MIN_TRIALS:
        return [
            Target(scale * torch.tensor([(BOX, EVERYWHERE)[number]]), torch.tensor([label]))
            for label in (0, classes - 1)
        ]
    generator = torch.Generator().manual_seed(number)
    targets = []
    for image in range(2):
        # (objects, 2), as shares of the image's sides; the second image has small objects, from a
        # fiftieth of its side, spread evenly on a logarithmic scale
        sides = torch.rand(OBJECTS, 2, generator=generator)
        sides = MIN_SIDE ** (1 - sides) if image else sides * 0.9 + 0.1
        corners = torch.rand(OBJECTS, 2, generator=generator) * (1 - sides)
        boxes = (
            torch.cat([corners, corners + sides], 1)
            * torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
            * scale
        )
        targets.append(Target(boxes, torch.randint(0, classes, (OBJECTS,), generator=generator)))
    return targets


@contextmanager
def _moved_from_zero(detector: Detector) -> Iterator[None]:
    """Parameters of zeros, such as the last norm of a residual branch, are random within the
    context."""
    zero = [parameter for parameter in detector.parameters() if not parameter.detach().any()]
    with torch.no_grad():
        for tensor in zero:
            tensor.normal_(
                std=0.01,
                generator=torch.Generator().manual_seed(0) if tensor.device.type == "cpu" else None,
            )
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor in zero:
                tensor.zero_()


def _backward(
    detector: Detector, targets: Sequence[Target], *, scale: int = 1, seed: int = 0
) -> Tensor:
    total = torch.stack(list(_losses(detector, targets, scale=scale, seed=seed).values())).sum()
    require(total.requires_grad, "The loss is not connected to the weights.")
    total.backward()  # type: ignore[no-untyped-call]
    return total.detach()


def _check_trains(detector: Detector, targets: Sequence[Target]) -> None:
    with train_mode(detector):
        total = _backward(detector, targets)
        require(bool(total.isfinite()), f"The loss is {float(total)}.")
        broken = [
            name
            for name, parameter in detector.named_parameters()
            if parameter.grad is not None and not parameter.grad.isfinite().all()
        ]
        require(not broken, f"Gradients are not finite in {join_first(broken, MAX_NAMES_SHOWN)}.")
