"""Toy detectors that each keep every promise but one: what the checks are tried on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.detectors import Batch, InputTransform, Protocol, Target
from zoo.labels import LabelSpace
from zoo.testing import Toy

SPACE = LabelSpace.custom(["red", "green", "blue"])


def spoil(seen: Detections, column: str, change: Callable[[Tensor], Tensor]) -> Detections:
    """Detections in which one column is changed, past the checks of their constructor."""
    spoilt = replace(seen)
    object.__setattr__(spoilt, column, change(getattr(seen, column).clone()))
    return spoilt


def spoiling(column: str, change: Callable[[Tensor], Tensor]) -> type[Toy]:
    """A toy whose answers are all spoilt."""

    class Spoilt(Toy):
        def one(self, *given: Any) -> Detections:
            return spoil(super().one(*given), column, change)

    return register(Spoilt)


def overriding(method: str, written: Callable[..., Any]) -> type[Toy]:
    """A toy with one method of its own, which is given the toy's as its second argument."""

    def changed(self: Toy, *given: Any, **named: Any) -> Any:
        return written(self, getattr(Toy, method).__get__(self), *given, **named)

    return register(type("Changed", (Toy,), {method: changed}))


def register(kind: type[Toy]) -> type[Toy]:
    """Gives a class a place in this module, where pickle finds it."""
    kind.__name__ = kind.__qualname__ = f"{kind.__name__}{len(globals())}"
    globals()[kind.__name__] = kind
    kind.__module__ = __name__
    return kind


def row(number: int, value: float) -> Callable[[Tensor], Tensor]:
    def change(column: Tensor) -> Tensor:
        column[number : number + 1] = value  # nothing where there is nothing
        return column

    return change


def cross_fifth(boxes: Tensor) -> Tensor:
    boxes[4:5] = boxes[4:5, [2, 1, 0, 3]]
    return boxes


def nan_in_black(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, protocol: Protocol
) -> list[Detections]:
    black = [bool((one == -2).all()) for one in batch.pixels]
    pairs = zip(ours(outputs, batch, protocol), black, strict=True)
    return [spoil(seen, "boxes", row(0, float("nan"))) if dark else seen for seen, dark in pairs]


def unknown_label(self: Toy, ours: Callable[..., Any], *given: Any) -> Detections:
    seen = ours(*given)
    return (
        spoil(seen, "labels", row(4, 99)) if len(self.label_space) == 3 and len(seen) > 4 else seen
    )


def outside_at_45(
    self: Toy,
    ours: Callable[..., Any],
    boxes: Tensor,
    scores: Tensor,
    labels: Tensor,
    place: InputTransform,
    s: Any,
) -> Any:
    seen = ours(boxes, scores, labels, place, s)
    return spoil(seen, "boxes", lambda old: old + 1) if place.height == 45 else seen


def settled(**changes: Any) -> type[Toy]:
    """A toy that decodes with settings of its own, whatever it is asked for."""

    def one(self: Toy, ours: Callable[..., Any], *given: Any) -> Detections:
        *rest, settings = given
        return ours(*rest, replace(settings, **changes))

    return overriding("one", one)


def answers_the_empty(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
    if isinstance(source, list) and not source[0].numel():
        return [Detections.empty(self.label_space)]
    return ours(source, **options)


def single(wrong: Callable[[Any], bool]) -> type[Toy]:
    """A toy that sees less in some forms of a single image."""

    def detect(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
        return ours(source, **options).top(1) if wrong(source) else ours(source, **options)

    return overriding("detect", detect)


def mixed_with_white(self: Toy, ours: Callable[..., Any], batch: Batch, *given: Any) -> Tensor:
    return ours(batch, *given) * (
        3 if len(batch) > 1 and bool((batch.pixels == 2).flatten(1).all(1).any()) else 1
    )


def after_seed_two(self: Toy, ours: Callable[..., Any], batch: Batch, *given: Any) -> Tensor:
    return ours(batch, *given) * (2 if torch.initial_seed() == 2 else 1)


def nan_loss(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    same = all(one.labels.tolist() == [0] for one in targets)
    return ours(outputs, batch, targets) | ({"aux": torch.tensor(float("nan"))} if same else {})


def some_empty(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    counts = {len(one.labels) for one in targets}
    return {
        name: loss / (counts == {0} or 0 not in counts)
        for name, loss in ours(outputs, batch, targets).items()
    }


def all_empty(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    return ours(
        outputs if any(len(one.labels) for one in targets) else outputs.detach(), batch, targets
    )


def moves_truth(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    losses = ours(outputs, batch, targets)
    [one.boxes.add_(1) for one in targets]
    return losses


def counts_only(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    everywhere = [[0.0, 0.0, float(place.width), float(place.height)] for place in batch.transforms]
    placed = zip(targets, everywhere, strict=True)
    return ours(
        outputs,
        batch,
        [
            Target(torch.tensor([box] * len(one.labels)).view(-1, 4), one.labels)
            for one, box in placed
        ],
    )


def half_a_cell_off(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> Any:
    return ours(
        outputs,
        replace(batch, transforms=tuple(replace(one, top=one.top + 4) for one in batch.transforms)),
        targets,
    )


def mirrored(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    return ours(
        outputs,
        batch,
        [Target(one.boxes, len(self.label_space) - 1 - one.labels) for one in targets],
    )


def clamps(
    self: Toy, ours: Callable[..., Any], outputs: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    return ours(
        outputs,
        batch,
        [Target(one.boxes, one.labels.clamp(max=len(self.label_space) - 1)) for one in targets],
    )


@dataclass
class Sealed:
    """Outputs that torch can't take apart."""

    maps: Tensor


class Sealing(Toy):
    """Its outputs are of a class that is not registered."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Any:
        return Sealed(super().forward(batch, targets))

    def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        return super().decode(outputs.maps, batch, thresholds)

    def loss(self, outputs: Any, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        return super().loss(outputs.maps, batch, targets)


class Peeking(Toy):
    """Takes the targets in eval mode, too."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        outputs = super().forward(batch, targets)
        return outputs if self.training or targets is None else outputs + 2


def weighs_in_the_loss(self: Toy, ours: Callable[..., Any], *given: Any) -> dict[str, Tensor]:
    return {name: loss + 0 * self.gain for name, loss in ours(*given).items()}


def leaves_thresholds_open(
    self: Toy, ours: Callable[..., Any], images: Sequence[Tensor], thresholds: Thresholds
) -> list[Detections]:
    open_ones = {} if thresholds.max_boxes != 3 else {"max_boxes": None}
    return ours(images, SimpleNamespace(**vars(thresholds) | open_ones))


def leaves_train_mode(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
    seen = ours(source, **options)
    if self.training:
        self.norm.train()
    return seen


def leaves_a_trace(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
    if self.training:
        self.norm.running_mean.add_(1)
    return ours(source, **options)


def remembers(self: Toy, ours: Callable[..., Any], batch: Batch, *given: Any) -> Tensor:
    self.last = batch.transforms
    if threading.current_thread() is not threading.main_thread():
        time.sleep(0.05)  # long enough for the others to come in
    return ours(batch, *given)


class Forgetful(register(overriding("forward", remembers))):  # type: ignore[misc]  # its places are any thread's
    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        return super().decode(outputs, replace(batch, transforms=self.last), thresholds)


def unscaled(
    self: Toy,
    ours: Callable[..., Any],
    boxes: Tensor,
    scores: Tensor,
    labels: Tensor,
    place: InputTransform,
    s: Any,
) -> Any:
    return ours(boxes, scores, labels, replace(place, scale_y=1.0, scale_x=1.0), s)


class Detached(Toy):
    """Learns nothing of sizes."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:  # noqa: ARG002
        maps = self.drop(F.avg_pool2d(self.norm(batch.pixels), 8))
        return torch.cat([self.size(maps).detach(), self.gain * self.kind(maps)], 1)


def equipped(equip: Callable[[Toy], object]) -> type[Toy]:
    """A toy that has something more, or something else, than its kind."""

    def begin(self: Toy, ours: Callable[..., Any], label_space: LabelSpace) -> None:
        ours(label_space)
        equip(self)

    return overriding("__init__", begin)


def building(before: Callable[[LabelSpace], LabelSpace | None]) -> Callable[[LabelSpace], Toy]:
    """A builder that does something first, and may choose another label space."""
    return lambda label_space: Toy(before(label_space) or label_space)


def rotated_when_turned(self: Toy, ours: Callable[..., Any]) -> Any:
    first, *rest = self.label_space.channels
    return (
        ours()
        if self.label_space.names[0] == SPACE.names[0]
        else [replace(ours()[0], channels=(*rest, first))]
    )


def refuses_one_class(label_space: LabelSpace) -> None:
    assert len(label_space) > 1, "One class is too few."


def toggles_determinism(_: LabelSpace) -> None:
    torch.use_deterministic_algorithms(not torch.are_deterministic_algorithms_enabled())


def same_seed(_: LabelSpace) -> None:
    torch.manual_seed(7)


def looks_up(_: LabelSpace) -> None:
    socket.getaddrinfo("localhost", 80)


def looks_up_and_goes_on(_: LabelSpace) -> None:
    with suppress(Exception), socket.socket() as connection:
        connection.connect_ex(("127.0.0.1", 9))
