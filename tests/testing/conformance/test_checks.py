"""No check is there that can't fail: for each, a toy detector that keeps every promise but that
one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec import structs
from torch import Tensor

from tests.testing.conformance.faulty_preprocess import (
    Altered,
    Doubled,
    OneSize,
    masked,
    preprocessing,
    refuse_gray,
    refuse_size,
    rounded,
    single_precision,
    with_network,
    writes_on_pictures,
)
from tests.testing.conformance.faulty_toys import (
    SPACE,
    Detached,
    Forgetful,
    Peeking,
    Sealing,
    after_seed_two,
    all_empty,
    answers_the_empty,
    building,
    clamps,
    counts_only,
    cross_fifth,
    equipped,
    half_a_cell_off,
    leaves_a_trace,
    leaves_thresholds_open,
    leaves_train_mode,
    looks_up,
    mirrored,
    mixed_with_white,
    moves_truth,
    nan_in_black,
    nan_loss,
    outside_at_45,
    overriding,
    refuses_one_class,
    register,
    rotated_when_turned,
    row,
    same_seed,
    settled,
    single,
    some_empty,
    spoiling,
    toggles_determinism,
    unknown_label,
    unscaled,
    weighs_in_the_loss,
)
from zoo.detectors import Protocol
from zoo.labels import LabelSpace
from zoo.registry import Card
from zoo.registry.card import Claim, FileSource, Input, Licenses, Weights
from zoo.testing import Model, Outcome, Toy, run
from zoo.testing.conformance.checks import learning

CLAIM = Claim(dataset="toys", metric="AP", value=1.0, source="https://example.org/toys")
CARD = Card(
    architecture="toy/toy",
    labels=list(SPACE.names),
    family="Toy",
    summary="A cell says whether something is in it.",
    input=Input(resize="fixed", size=[32, 32], mean=[0.5] * 3, std=[0.25] * 3, antialias=False),
    parameters=35,
    licenses=Licenses(code="Apache-2.0"),
    weights={"v1": Weights(files={"model": [FileSource(path="toy.safetensors")]}, claims=[CLAIM])},
)


def card(**changes: Any) -> Card:
    return structs.replace(CARD, **changes)


BROKEN: dict[str, Callable[[LabelSpace], Toy] | Card] = {
    "one_result_per_image": overriding("decode", lambda self, ours, *given: tuple(ours(*given))),
    "sees_something": overriding("one", lambda self, ours, *given: ours(*given)[:0]),
    "best_first": spoiling("scores", lambda scores: torch.cat([scores[:2], scores[2:].flip(0)])),
    "scores_are_probabilities": spoiling("scores", row(0, 1.5)),
    "finite_everywhere": overriding("decode", nan_in_black),
    "boxes_inside_the_image": overriding("one", outside_at_45),
    "boxes_follow_the_image": overriding("one", unscaled),
    "corners_in_order": spoiling("boxes", cross_fifth),
    "labels_in_range": overriding("one", unknown_label),
    "settings_of_its_own": equipped(
        lambda toy: setattr(toy, "defaults", Protocol(score=0.05, iou=0.5, max_boxes=10))
    ),
    "score_floor_obeyed": settled(score=0.0),
    "max_boxes_obeyed": settled(max_boxes=10),
    "iou_obeyed": settled(iou=1.0),
    "any_size": preprocessing(partial(refuse_size, size=(211, 97))),
    "one_pixel": preprocessing(partial(refuse_size, size=(1, 1))),
    "long_and_flat": preprocessing(partial(refuse_size, size=(240, 6))),
    "nothing_to_see": preprocessing(refuse_gray),
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
    "images_untouched": preprocessing(writes_on_pictures),
    "input_is_ready": Doubled,
    "input_size_kept": overriding(
        "input_size",
        lambda self, ours, height, width: (height, width) if height == 33 else (32, 32),
    ),
    "places_lead_back": preprocessing(rounded),
    "prepared_as_declared": card(input=structs.replace(CARD.input, mean=[0.4] * 3)),
    "resized_as_declared": card(input=structs.replace(CARD.input, antialias=True)),
    "preprocess_needs_no_network": equipped(
        lambda toy: setattr(toy, "preprocess", Altered(call=partial(with_network, toy)))
    ),
    "preprocess_at_any_size": equipped(lambda toy: setattr(toy, "preprocess", OneSize())),
    "batch_moves_as_a_whole": preprocessing(masked),
    "outputs_are_a_pytree": Sealing,
    "targets_are_for_training": Peeking,
    "parameters_are_used_in_forward": overriding("loss", weighs_in_the_loss),
    "thresholds_are_filled": overriding("predict", leaves_thresholds_open),
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
    "float64": preprocessing(single_precision),
    "threads": Forgetful,
    "labels_obeyed": building(lambda label_space: SPACE if len(label_space) == 7 else None),
    "one_class": building(refuses_one_class),
    "classes_carried_over": overriding("class_layers", rotated_when_turned),
    "class_rows_are_its_own": overriding(
        "class_layers",
        lambda self, ours: [replace(ours()[0], channels=self.label_space.channels[::-1])],
    ),
    "weights_serve_any_prompt": overriding("class_layers", lambda self, ours: []),
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
    "weights_have_sources": card(weights={"v1": Weights(files={"model": []})}),
}
MATCHED = [
    "only_overlaps_suppressed",
    "max_boxes_is_the_callers",
]  # boxes are looked for in another list
ALSO = {  # what nothing can break alone
    "sees_something": ["loss_leads_to_the_truth", "many_boxes_returned"],
    "settings_of_its_own": ["thresholds_are_filled"],
    "best_first": ["only_overlaps_suppressed"],
    "boxes_follow_the_image": ["loss_leads_to_the_truth"],
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
    "prepared_as_declared": ["resized_as_declared"],
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
