"""Checks that the loss and `decode` agree: on boxes and classes of every object in every image."""

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
from zoo.testing.conformance.checks.truths import LossProbe, probe_loss
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

BOXES = (
    ((6.0, 5.0, 30.0, 37.0), (36.0, 20.0, 60.0, 44.0)),
    ((3.0, 6.0, 29.0, 40.0), (34.0, 8.0, 62.0, 38.0)),
)
# Number of steps, learning rate of the first, and whether the outputs start above 0. Two-stage
# heads converge slowly; boxes in raw pixels are far away.
TRIES = (100, 0.3, False), (100, 0.3, True), (200, 0.2, False), (200, 0.3, True), (300, 2.0, True)
MIN_IOU = 0.97
EDGE = 0.75  # pixels of the network's input; a decode that adds one to an edge misses it
OBJECTS_PER_BATCH = 8  # in four images
MAX_CLASSES = 96  # that are checked
SMALL_GAIN = 0.1  # of the median gain
BEST = 10  # two neighbouring cells may detect the same object


def check_loss_leads_to_the_truth(detector: Detector) -> None:
    """Once the outputs of its last layers minimise the loss, `decode` returns the objects of the
    targets, with their boxes and classes.

    No weight is trained: the outputs of the last layers descend the loss by themselves. Two images
    have two objects each, of two classes in one and of the same class in the other. In each, the
    best detection is an object, and every object is among the 10 best, with its class and an IoU of
    0.97, or edges within 0.75 pixels of the network's input.
    """
    targets = _targets(len(detector.label_space))
    mismatches: list[str] = []
    for steps, rate, above in TRIES:
        detections, transforms = _detections_after_descent(
            detector, steps=steps, rate=rate, above=above
        )
        faults = list(_mismatches(targets, detections, transforms, detector.label_space.names))
        if not faults:
            return
        mismatches += faults
    require(False, f"When the outputs of its last layers minimise the loss, {mismatches[0]}.")


def check_loss_teaches_the_named_class(detector: Detector) -> None:
    """The loss raises the declared rows of a class more if the targets have that class than if they
    have others.

    Checked for every class, or 96 of them, by the gradient of the biases; a batch has eight
    objects, two in each image. A class that gains little is checked alone, and its objects have to
    change the loss.
    """
    names = detector.label_space.names
    if len(names) == 1:
        raise NotApplicable("It has one class.")
    spread = torch.linspace(0, len(names) - 1, min(len(names), MAX_CLASSES)).round().long().tolist()
    chosen = sorted(set(spread))
    size = min(OBJECTS_PER_BATCH, (len(chosen) + 1) // 2)  # two groups at least
    groups = [chosen[first : first + size] for first in range(0, len(chosen), size)]
    with probe_loss(detector, images=OBJECTS_PER_BATCH // 2) as probe:
        pulls = [
            _pulls(probe, torch.tensor((group * OBJECTS_PER_BATCH)[:OBJECTS_PER_BATCH]).view(-1, 2))
            for group in groups
        ]
        gains = {
            label: pulls[row][label] - pulls[row - 1][label]
            for row, group in enumerate(groups)
            for label in group
        }
        usual = sorted(gains.values())[len(gains) // 2]
        for label in [label for label, gain in gains.items() if gain <= SMALL_GAIN * usual]:
            _check_taught(probe, label, other=0 if label else len(names) - 1)


def _check_taught(probe: LossProbe, label: int, *, other: int) -> None:
    """Checks one class in all images against images without objects, and against another class."""
    names, images = probe.detector.label_space.names, len(probe.batch)
    taught, none = (probe([target] * images) for target in (one_target(label), no_objects()))
    require(
        taught != none, f"The loss is the same with objects of '{names[label]}' as without any."
    )
    own, foreign = (
        _pulls(probe, torch.full((images, 1), labelled))[label] for labelled in (label, other)
    )
    case = (
        f"The loss raises the rows of '{names[label]}' by {own:.3g} if the object is "
        f"'{names[label]}'"
    )
    require(own > foreign, f"{case}, and by {foreign:.3g} if it is '{names[other]}'.")


def _targets(classes: int) -> list[Target]:
    """Two objects in each of two images: of the first and the last class, of the middle class."""
    labels = ([0, classes - 1], [classes // 2, classes // 2])
    return [
        Target(torch.tensor(boxes), torch.tensor(label))
        for boxes, label in zip(BOXES, labels, strict=True)
    ]


def _detections_after_descent(
    detector: Detector, *, steps: int, rate: float, above: bool
) -> tuple[list[Detections], Sequence[InputTransform]]:
    """Detections in two scenes after the outputs of the last layers descended the loss, and the
    transforms of the scenes.

    above: starts from the outputs' absolute values, where a rectifier has a gradient.
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
                targets = _targets(len(detector.label_space))  # new, as a loss may write to them
                losses = detector.loss(detector(batch, targets), batch, targets)
                torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            with eval_mode(detector), torch.no_grad():
                thresholds = EVERYTHING.thresholds(detector.defaults)
                return detector.decode(detector(batch), batch, thresholds), batch.transforms


def _mismatches(
    targets: Sequence[Target],
    results: Sequence[Detections],
    transforms: Sequence[InputTransform],
    names: Sequence[str],
) -> Iterator[str]:
    """A sentence for each object that is not detected as in the targets."""
    for number, (target, detections, transform) in enumerate(
        zip(targets, results, transforms, strict=True), 1
    ):
        best = detections.top(BEST)
        apart = (target.boxes[:, None] - best.boxes).abs().amax(2) * max(
            transform.scale_x, transform.scale_y
        )  # (objects, detections)
        near = (box_iou(target.boxes, best.boxes) >= MIN_IOU) | (apart <= EDGE)
        same = near & (target.labels[:, None] == best.labels)
        for row, box, label in zip(
            same, target.boxes.tolist(), target.labels.tolist(), strict=True
        ):
            if not row.any() or not same[:, 0].any():
                yield (
                    f"'{names[label]}' at {box} in image {number} is detected as {_two_best(best)}"
                )


def _two_best(detections: Detections) -> str:
    """The two best detections, in words."""
    pairs = zip(
        detections.class_names, detections.boxes.tolist(), detections.scores.tolist(), strict=True
    )
    best = [
        f"'{name}' at {[round(edge, 1) for edge in box]} ({score:.2f})"
        for name, box, score in pairs
    ]
    return " and ".join(best[:2]) or "nothing"


def _pulls(probe: LossProbe, labels: Tensor) -> dict[int, float]:
    """The negative gradient of the biases of each label, for the loss of objects of these classes
    `(images, 1 or 2)`."""
    detector = probe.detector
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
    boxes = torch.tensor(BOXES[0] if labels.shape[1] == 2 else [BOX])
    losses = probe.losses([Target(boxes, label) for label in labels])
    grads = torch.autograd.grad(
        torch.stack(list(losses.values())).sum(),
        list(biases.values()),
        allow_unused=True,
        retain_graph=True,
    )
    pulls: dict[int, float] = {}
    for layer, bias, grad in zip(biases, biases.values(), grads, strict=True):
        upward = torch.zeros_like(bias) if grad is None else -grad
        for channel, pull in zip(
            layer.channels, by_channel(upward, layer, detector).sum((0, 2)).tolist(), strict=True
        ):
            pulls[channel] = pulls.get(channel, 0.0) + pull
    return pulls


def _learnt_bias(detector: Detector, layer: ClassLayer) -> Tensor | None:
    bias = getattr(submodule(detector, layer), "bias", None)
    return bias if isinstance(bias, Tensor) and bias.requires_grad else None
