"""Targets: each check finds variants that are wrong where random weights and
small images hide it."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import is_found
from tests.testing.conformance.wrong_toys import (
    NOTHING,
    fattened,
    first_labels,
    losing,
    nan_where_less_than_a_pixel,
)
from zoo.detectors import Target
from zoo.testing import Toy

VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "a loss that grows with the square of the batch": (
        "loss_is_per_image_or_summed",
        losing(list, scale=lambda targets: len(targets) ** 2),
    ),
    "the last image": ("every_image_counts", losing(lambda targets: [*targets[:-1], NOTHING])),
    "the first image's truth for all": (
        "every_image_counts",
        losing(lambda targets: targets[:1] * len(targets)),
    ),
    "more than three objects": (
        "every_object_counts",
        losing(lambda targets: [Target(one.boxes[:3], one.labels[:3]) for one in targets]),
    ),
    "the order of objects": ("every_object_counts", losing(first_labels)),
    "small objects": (
        "small_and_many_objects_train",
        losing(list, scale=nan_where_less_than_a_pixel),
    ),
    "objects without area": ("small_and_many_objects_train", losing(fattened)),
}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
