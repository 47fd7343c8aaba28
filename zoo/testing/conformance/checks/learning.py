"""Checks that the loss teaches what `decode` reads: the same boxes and classes, of every object in
every image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torchvision.ops import box_iou

from zoo.contract import ClassLayer, InputTransform, Target
from zoo.detections import Detections
from zoo.detectors.class_rows import by_channel, submodule
from zoo.detectors.detector import Detector
from zoo.inference.runner import eval_mode
from zoo.testing.conformance.checks.truths import Asked, asked
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.free_outputs import NO_LAYER, free_outputs
from zoo.testing.conformance.images import (
    BOX,
    EVERYTHING,
    no_objects,
    one_target,
    preprocess,
    scene,
)
from zoo.testing.conformance.train_mode import train_mode

PLACES = (
    ((6.0, 5.0, 30.0, 37.0), (36.0, 20.0, 60.0, 44.0)),
    ((3.0, 6.0, 29.0, 40.0), (34.0, 8.0, 62.0, 38.0)),
)
# Steps, the first one's length, and whether from above 0. Two stages settle slowly, raw pixels are
# far away.
TRIES = (100, 0.3, False), (100, 0.3, True), (200, 0.2, False), (200, 0.3, True), (300, 2.0, True)
OVERLAP = 0.97
EDGE = 0.75  # pixels of the network's input, which a decode that adds one to an edge does not keep
AT_ONCE = 8  # objects in a batch of four images
CLASSES = 96  # that are asked for
LITTLE = 0.1  # of what most classes gain
BEST = 10  # an object may be seen twice, by two neighbouring cells


def check_loss_leads_to_the_truth(detector: Detector) -> None:
    """Once its last layers say what the loss asks for, `decode` sees the objects of the truth,
    there and of their class.

    The network takes no part: the outputs of its last layers go down the loss by themselves. Two
    images, with two objects each: of two classes, and of one. In each the best detection is an
    object, and every object is among the 10 best, with its class and an IoU of 0.97, or edges
    within 0.75 pixels of the network's input.
    """
    targets = _targets(len(detector.label_space))
    missed: list[str] = []
    for steps, rate, above in TRIES:
        detections, places = _followed(detector, steps=steps, rate=rate, above=above)
        faults = list(_missed(targets, detections, places, detector.label_space.names))
        if not faults:
            return
        missed += faults
    require(False, f"Where its last layers say what the loss asks for, {missed[0]}.")


def check_loss_teaches_the_named_class(detector: Detector) -> None:
    """Of the declared rows of a class, the loss asks more when the truth names that class than when
    it names others.

    Of every class, or of 96 of them, by the gradient of their biases; eight in a batch, two in each
    image. One that gains little is asked for alone, and its objects have to change the loss.
    """
    names = detector.label_space.names
    if len(names) == 1:
        raise NotApplicable("It has one class.")
    spread = torch.linspace(0, len(names) - 1, min(len(names), CLASSES)).round().long().tolist()
    chosen = sorted(set(spread))
    size = min(AT_ONCE, (len(chosen) + 1) // 2)  # two groups at least
    groups = [chosen[first : first + size] for first in range(0, len(chosen), size)]
    with asked(detector, images=AT_ONCE // 2) as ask:
        pulls = [
            _pulls(ask, torch.tensor((group * AT_ONCE)[:AT_ONCE]).view(-1, 2)) for group in groups
        ]
        gains = {
            label: pulls[row][label] - pulls[row - 1][label]
            for row, group in enumerate(groups)
            for label in group
        }
        usual = sorted(gains.values())[len(gains) // 2]
        for label in [label for label, gain in gains.items() if gain <= LITTLE * usual]:
            _check_taught(ask, label, other=0 if label else len(names) - 1)


def _check_taught(ask: Asked, label: int, *, other: int) -> None:
    """One class in all images, against none in any, and against another class."""
    names, images = ask.detector.label_space.names, len(ask.batch)
    taught, none = (ask([target] * images) for target in (one_target(label), no_objects()))
    require(
        taught != none, f"The loss is the same with objects of '{names[label]}' as without any."
    )
    own, foreign = (
        _pulls(ask, torch.full((images, 1), labelled))[label] for labelled in (label, other)
    )
    case = (
        f"The rows of '{names[label]}' are pulled by {own:.3g} where the truth is '{names[label]}'"
    )
    require(own > foreign, f"{case}, and by {foreign:.3g} where it is '{names[other]}'.")


def _targets(classes: int) -> list[Target]:
    """The first and the last class in one image, two of one class between them in the other."""
    labels = ([0, classes - 1], [classes // 2, classes // 2])
    return [
        Target(torch.tensor(boxes), torch.tensor(label))
        for boxes, label in zip(PLACES, labels, strict=True)
    ]


def _followed(
    detector: Detector, *, steps: int, rate: float, above: bool
) -> tuple[list[Detections], Sequence[InputTransform]]:
    """Detections in two scenes after the last layers alone went down the loss.

    above: they start from above 0, where a rectifier lets a gradient through.
    """
    with train_mode(detector):
        batch = preprocess(detector, [scene(seed=1), scene(seed=2)])
        with free_outputs(detector, batch, _targets(len(detector.label_space))) as leaves:
            if not leaves:
                raise NotApplicable(NO_LAYER)
            for leaf in leaves if above else ():
                leaf.data.abs_()
            optimizer = torch.optim.Adam(leaves, lr=rate)
            for step in range(steps):
                torch.manual_seed(0)
                optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
                optimizer.zero_grad()
                targets = _targets(len(detector.label_space))  # new ones: a loss may spoil them
                losses = detector.loss(detector(batch, targets), batch, targets)
                torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            with eval_mode(detector), torch.no_grad():
                thresholds = EVERYTHING.thresholds(detector.defaults)
                return detector.decode(detector(batch), batch, thresholds), batch.transforms


def _missed(
    targets: Sequence[Target],
    answers: Sequence[Detections],
    places: Sequence[InputTransform],
    names: Sequence[str],
) -> Iterator[str]:
    """Where what is seen is not the truth, in words."""
    for number, (target, detections, place) in enumerate(
        zip(targets, answers, places, strict=True), 1
    ):
        best = detections.top(BEST)
        apart = (target.boxes[:, None] - best.boxes).abs().amax(2) * max(
            place.scale_x, place.scale_y
        )  # (objects, detections)
        near = (box_iou(target.boxes, best.boxes) >= OVERLAP) | (apart <= EDGE)
        same = near & (target.labels[:, None] == best.labels)
        for row, box, label in zip(
            same, target.boxes.tolist(), target.labels.tolist(), strict=True
        ):
            if not row.any() or not same[:, 0].any():
                yield f"'{names[label]}' at {box} in image {number} is detected as {_shown(best)}"


def _shown(detections: Detections) -> str:
    """The two best."""
    pairs = zip(
        detections.class_names, detections.boxes.tolist(), detections.scores.tolist(), strict=True
    )
    best = [
        f"'{name}' at {[round(edge, 1) for edge in box]} ({score:.2f})"
        for name, box, score in pairs
    ]
    return " and ".join(best[:2]) or "nothing"


def _pulls(ask: Asked, labels: Tensor) -> dict[int, float]:
    """How strongly the loss of objects of these classes, `(images, 1 or 2)`, pulls the biases of
    each label upwards."""
    detector = ask.detector
    layers = detector.class_layers()
    if layers is None:
        raise NotApplicable("Its class_layers does not say where its classes are.")
    biases = {
        layer: bias
        for layer in layers
        if layer.inner == 1 and (bias := _learnt_bias(detector, layer)) is not None
    }
    if not biases:
        raise NotApplicable("No layer with rows for classes has a bias that learns.")
    boxes = torch.tensor(PLACES[0] if labels.shape[1] == 2 else [BOX])
    losses = ask.losses([Target(boxes, label) for label in labels])
    grads = torch.autograd.grad(
        torch.stack(list(losses.values())).sum(),
        list(biases.values()),
        allow_unused=True,
        retain_graph=True,
    )
    pulls: dict[int, float] = {}
    for layer, bias, grad in zip(biases, biases.values(), grads, strict=True):
        pulled = torch.zeros_like(bias) if grad is None else -grad
        for channel, pull in zip(
            layer.channels, by_channel(pulled, layer, detector).sum((0, 2)).tolist(), strict=True
        ):
            pulls[channel] = pulls.get(channel, 0.0) + pull
    return pulls


def _learnt_bias(detector: Detector, layer: ClassLayer) -> Tensor | None:
    bias = getattr(submodule(detector, layer), "bias", None)
    return bias if isinstance(bias, Tensor) and bias.requires_grad else None
