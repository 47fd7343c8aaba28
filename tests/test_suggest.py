"""Did you mean …?"""

import pytest

from zoo.suggest import close_family, close_matches, close_prefix, did_you_mean, join_or, suggest

NAMES = [
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "yolox_nano",
    "yolox_tiny",
    "ssd300_vgg16",
]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("yolox_nan", "yolox_nano"),
        ("YOLOX_TINY", "yolox_tiny"),
        ("fasterrcnn_resnet50", "fasterrcnn_resnet50_fpn"),
        ("vgg16", "ssd300_vgg16"),
        ("tiny", "yolox_tiny"),
    ],
)
def test_the_likeliest_name_comes_first(asked: str, first: str) -> None:
    assert close_matches(asked, NAMES)[0] == first


def test_a_name_comes_back_as_it_is_spelled_however_it_was_asked_for() -> None:
    assert close_matches("TRAFIC LIGHT", ["Traffic Light", "Car"]) == ["Traffic Light"]
    assert close_matches("light", ["Traffic LIGHT", "Car"]) == ["Traffic LIGHT"]


@pytest.mark.parametrize("asked", ["", "x", "zzz", "completely different"])
def test_what_is_like_nothing_gets_no_suggestion(asked: str) -> None:
    assert close_matches(asked, NAMES) == []


@pytest.mark.parametrize(
    ("asked", "beginning"),
    [
        ("yolx", "yolox"),
        ("Yolo9000", "yolox"),
        ("fastercnn-x", "fasterrcnn"),
        ("zzz", None),
        ("", None),
    ],
)
def test_what_a_name_begins_like_is_found_where_no_name_is_near(
    asked: str, beginning: str | None
) -> None:
    assert close_prefix(asked, NAMES) == beginning


def test_one_letter_of_three_may_be_wrong() -> None:
    assert close_matches("fpm", ["fpn", "bifpn", "pafpn"]) == ["fpn"]


def test_no_more_than_asked_for_are_suggested() -> None:
    assert (
        len(close_matches("yolox_nano", [f"yolox_nano{number}" for number in range(50)], most=3))
        == 3
    )


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "'a'"), (["a", "b"], "'a' or 'b'"), (["a", "b", "c"], "'a', 'b' or 'c'")],
)
def test_choices_read_as_a_sentence(names: list[str], text: str) -> None:
    assert join_or(names) == text


def test_a_typing_error_of_a_family_alone_names_its_first_models() -> None:
    """`yolx` looks most like `yolox_x` by its letters, which nobody meant: the largest and slowest.
    The error is in the family's name, as far from each of its models, so that their own order
    counts; a registry lists the usual one first."""
    known = ["yolox_nano", "yolox_tiny", "yolox_s", "yolox_x", "ssd300_vgg16", "toy", "toys_s"]
    assert close_family("yolx", known) == ["yolox_nano", "yolox_tiny", "yolox_s"]
    assert close_family("YOLX", known, most=1) == ["yolox_nano"]
    assert close_family("yolox", known) == []  # no error in the family's name
    assert close_family("yolx_s", known) == []  # more than that was typed
    assert close_family("toyy", known) == []  # a model has the whole name
    assert close_family("zebra", known) == []


def test_a_mistyped_name_is_answered_with_the_nearest_ones() -> None:
    meant = did_you_mean("yolox_nanp", NAMES, otherwise="See zoo list.", most=1)
    assert meant == "Did you mean 'yolox_nano'?"
    assert suggest(["a", "b"], otherwise="See zoo list.") == "Did you mean 'a' or 'b'?"


def test_a_name_like_no_other_gets_the_other_advice() -> None:
    assert did_you_mean("zzz", NAMES, otherwise="See zoo list.") == "See zoo list."
