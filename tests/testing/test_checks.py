"""No check is there that can't fail: for each, a toy detector that keeps every promise but that
one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec import structs
from torch import Tensor
from torch.nn import functional as F

from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.detectors import Batch, InputTransform, Protocol, Target
from zoo.labels import LabelSpace
from zoo.registry import Card
from zoo.registry.card import Claim, FileSource, Input, Licenses, Weights
from zoo.testing import Model, Outcome, Toy, run
from zoo.testing.checks import learning

SPACE = LabelSpace.custom(["red", "green", "blue"])
CLAIM = Claim(dataset="toys", metric="AP", value=1.0, source="https://example.org/toys")
CARD = Card(
    architecture="toy/toy",
    labels=list(SPACE.names),
    family="Toy",
    summary="A cell says whether something is in it.",
    input=Input(resize="fixed", size=[32, 32], mean=[0.5] * 3, std=[0.25] * 3),
    parameters=35,
    licenses=Licenses(code="Apache-2.0"),
    weights={"v1": Weights(sources=[FileSource(path="toy.safetensors")], claims=[CLAIM])},
)


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
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, protocol: Protocol
) -> list[Detections]:
    black = [bool((one == -2).all()) for one in batch.pixels]
    pairs = zip(ours(raw, batch, protocol), black, strict=True)
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


def refusing(wrong: Callable[[Tensor], bool]) -> type[Toy]:
    """A toy that can't prepare some pictures."""

    def prepare(self: Toy, ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
        if any(wrong(image) for image in images):
            raise RuntimeError("The picture does not fit.")
        return ours(images)

    return overriding("prepare", prepare)


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
    """A toy that sees less in some forms of a single picture."""

    def detect(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
        return ours(source, **options).top(1) if wrong(source) else ours(source, **options)

    return overriding("detect", detect)


def mixed_with_white(self: Toy, ours: Callable[..., Any], batch: Batch) -> Tensor:
    return ours(batch) * (
        3 if len(batch) > 1 and bool((batch.pixels == 2).flatten(1).all(1).any()) else 1
    )


def after_seed_two(self: Toy, ours: Callable[..., Any], batch: Batch) -> Tensor:
    return ours(batch) * (2 if torch.initial_seed() == 2 else 1)


def writes_on_pictures(self: Toy, ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    made = ours(images)
    for image in images:
        image[0, 0, 0] += 1
    return made


class Doubled(Toy):
    """Prepares pairs in another type than the network's."""

    def prepare(self, images: Sequence[Tensor]) -> Batch:
        made = super().prepare(images)
        return made.to(dtype=torch.float64) if len(made) == 2 else made

    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch.to(dtype=self.dtype))


class Rounded(InputTransform):
    def to_original(self, boxes: Tensor) -> Tensor:
        return (
            super().to_original(boxes).mul(3).round() / 3
        )  # less than a pixel, which is all that other checks allow


def rounded(self: Toy, ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    made = ours(images)
    return replace(made, places=tuple(Rounded(**vars(place)) for place in made.places))


def nan_loss(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    same = all(one.labels.tolist() == [0] for one in targets)
    return ours(raw, batch, targets) | ({"aux": torch.tensor(float("nan"))} if same else {})


def some_empty(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    counts = {len(one.labels) for one in targets}
    return {
        name: loss / (counts == {0} or 0 not in counts)
        for name, loss in ours(raw, batch, targets).items()
    }


def all_empty(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    return ours(raw if any(len(one.labels) for one in targets) else raw.detach(), batch, targets)


def moves_truth(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    losses = ours(raw, batch, targets)
    [one.boxes.add_(1) for one in targets]
    return losses


def counts_only(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    everywhere = [[0.0, 0.0, float(place.width), float(place.height)] for place in batch.places]
    placed = zip(targets, everywhere, strict=True)
    return ours(
        raw,
        batch,
        [
            Target(torch.tensor([box] * len(one.labels)).view(-1, 4), one.labels)
            for one, box in placed
        ],
    )


def half_a_cell_off(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> Any:
    return ours(
        raw,
        replace(batch, places=tuple(replace(one, top=one.top + 4) for one in batch.places)),
        targets,
    )


def mirrored(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    return ours(
        raw, batch, [Target(one.boxes, len(self.label_space) - 1 - one.labels) for one in targets]
    )


def clamps(
    self: Toy, ours: Callable[..., Any], raw: Tensor, batch: Batch, targets: Sequence[Target]
) -> dict[str, Tensor]:
    return ours(
        raw,
        batch,
        [Target(one.boxes, one.labels.clamp(max=len(self.label_space) - 1)) for one in targets],
    )


def leaves_train_mode(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
    seen = ours(source, **options)
    if self.training:
        self.norm.train()
    return seen


def leaves_a_trace(self: Toy, ours: Callable[..., Any], source: Any, **options: Any) -> Any:
    if self.training:
        self.norm.running_mean.add_(1)
    return ours(source, **options)


def remembers(self: Toy, ours: Callable[..., Any], batch: Batch) -> Tensor:
    self.last = batch.places
    if threading.current_thread() is not threading.main_thread():
        time.sleep(0.05)  # long enough for the others to come in
    return ours(batch)


class Forgetful(register(overriding("forward", remembers))):  # type: ignore[misc]  # its places are any thread's
    def decode(self, raw: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        return super().decode(raw, replace(batch, places=self.last), thresholds)


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

    def forward(self, batch: Batch) -> Tensor:
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


def card(**changes: Any) -> Card:
    return structs.replace(CARD, **changes)


BROKEN: dict[str, Callable[[LabelSpace], Toy] | Card] = {
    "one_answer_a_picture": overriding("decode", lambda self, ours, *given: tuple(ours(*given))),
    "sees_something": overriding("one", lambda self, ours, *given: ours(*given)[:0]),
    "best_first": spoiling("scores", lambda scores: torch.cat([scores[:2], scores[2:].flip(0)])),
    "scores_are_probabilities": spoiling("scores", row(0, 1.5)),
    "finite_everywhere": overriding("decode", nan_in_black),
    "boxes_inside_the_picture": overriding("one", outside_at_45),
    "boxes_follow_the_picture": overriding("one", unscaled),
    "corners_in_order": spoiling("boxes", cross_fifth),
    "labels_in_range": overriding("one", unknown_label),
    "settings_of_its_own": equipped(
        lambda toy: setattr(toy, "defaults", Protocol(score=0.05, iou=0.5, max_boxes=10))
    ),
    "score_floor_obeyed": settled(score=0.0),
    "max_boxes_obeyed": settled(max_boxes=10),
    "iou_obeyed": settled(iou=1.0),
    "any_size": refusing(lambda image: image.shape[1:] == (211, 97)),
    "one_pixel": refusing(lambda image: image.shape[1:] == (1, 1)),
    "long_and_flat": refusing(lambda image: image.shape[1:] == (240, 6)),
    "nothing_to_see": refusing(lambda image: bool((image == 114).all())),
    "empty_picture_refused": overriding("detect", answers_the_empty),
    "every_form_gives_the_same": single(lambda source: isinstance(source, Path)),
    "batch_of_one_equals_single": single(
        lambda source: isinstance(source, Tensor) and source.is_contiguous()
    ),
    "neighbours_change_nothing": overriding("forward", mixed_with_white),
    "order_kept": overriding(
        "decode", lambda self, ours, *given: ours(*given)[:: -1 if len(given[1]) == 4 else 1]
    ),
    "deterministic": overriding("forward", after_seed_two),
    "pictures_untouched": overriding("prepare", writes_on_pictures),
    "input_is_ready": Doubled,
    "input_size_kept": overriding(
        "input_size",
        lambda self, ours, height, width: (height, width) if height == 33 else (32, 32),
    ),
    "places_lead_back": overriding("prepare", rounded),
    "prepared_as_declared": card(input=structs.replace(CARD.input, mean=[0.4] * 3)),
    "loss_is_finite": overriding("loss", nan_loss),
    "gradients_reach_every_part": Detached,
    "a_picture_without_objects_trains": overriding("loss", some_empty),
    "a_batch_without_objects_trains": overriding("loss", all_empty),
    "loss_follows_the_truth": overriding("loss", counts_only),
    "loss_leads_to_the_truth": overriding("loss", half_a_cell_off),
    "loss_teaches_the_named_class": overriding("loss", mirrored),
    "truth_untouched": overriding("loss", moves_truth),
    "unknown_label_refused": overriding("loss", clamps),
    "mode_restored": overriding("detect", leaves_train_mode),
    "detecting_leaves_no_trace": overriding("detect", leaves_a_trace),
    "state_through_safetensors": equipped(lambda toy: setattr(toy, "twin", toy.kind)),
    "deep_copy": register(type("Uncopied", (Toy,), {"__deepcopy__": lambda self, memo: self})),
    "pickle": equipped(lambda toy: setattr(toy, "act", lambda value: value)),
    "float64": overriding(
        "prepare", lambda self, ours, images: ours(images).to(dtype=torch.float32)
    ),
    "threads": Forgetful,
    "labels_obeyed": building(lambda label_space: SPACE if len(label_space) == 7 else None),
    "one_class": building(refuses_one_class),
    "classes_carried_over": overriding("class_layers", rotated_when_turned),
    "class_rows_are_its_own": overriding(
        "class_layers",
        lambda self, ours: [replace(ours()[0], channels=self.label_space.channels[::-1])],
    ),
    "space_is_the_cards": building(
        lambda label_space: (
            LabelSpace.custom(label_space.names[::-1]) if label_space is SPACE else None
        )
    ),
    "seeded": building(same_seed),
    "meta_device": equipped(
        lambda toy: toy.register_buffer("grid", torch.zeros(4), persistent=False)
    ),
    "no_network": building(looks_up),
    "building_changes_no_setting": building(toggles_determinism),
    "card_says_what_it_is": card(summary=" "),
    "card_has_a_licence": card(licenses=Licenses(weights="MIT")),
    "card_has_labels": card(labels="coco79"),
    "card_declares_its_input": card(input=None),
    "card_counts_parameters": card(parameters=34),
    "claims_have_sources": card(
        weights={
            "v1": structs.replace(CARD.weights["v1"], claims=[structs.replace(CLAIM, source=" ")])
        }
    ),
    "weights_have_sources": card(weights={"v1": Weights(sources=[])}),
}
MATCHED = [
    "only_overlaps_suppressed",
    "max_boxes_is_the_callers",
]  # boxes are looked for in another list
ALSO = {  # what nothing can break alone
    "sees_something": ["loss_leads_to_the_truth", "many_boxes_returned"],
    "best_first": ["only_overlaps_suppressed"],
    "boxes_follow_the_picture": ["loss_leads_to_the_truth"],
    "corners_in_order": MATCHED,
    "labels_in_range": MATCHED,
    "max_boxes_obeyed": ["max_boxes_is_the_callers"],
    "iou_obeyed": ["iou_is_the_callers"],
    "gradients_reach_every_part": ["loss_leads_to_the_truth"],
    "a_picture_without_objects_trains": [
        "every_image_counts",
        "every_object_counts",
        "small_and_many_objects_train",
    ],
    "loss_follows_the_truth": [
        "loss_leads_to_the_truth",
        "every_image_counts",
        "small_and_many_objects_train",
    ],
    "loss_teaches_the_named_class": ["loss_leads_to_the_truth"],
    "class_rows_are_its_own": ["loss_teaches_the_named_class"],
    "meta_device": ["classes_carried_over"],
}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Some of the toys change torch's settings, and no other test is to notice; they learn at the
    first try, or never."""
    monkeypatch.setattr(learning, "TRIES", learning.TRIES[:1])
    yield
    torch.use_deterministic_algorithms(False)


def failing(model: Model) -> dict[str, Outcome]:
    return {one.check: one for one in run(model) if one.status == "failed"}


def test_a_detector_that_keeps_every_promise_passes() -> None:
    assert failing(Model("toy", Toy, SPACE, CARD)) == {}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    broken = BROKEN[check]
    model = (
        Model("toy", Toy, SPACE, broken)
        if isinstance(broken, Card)
        else Model("toy", broken, SPACE, CARD)
    )
    failed = failing(model)
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason
