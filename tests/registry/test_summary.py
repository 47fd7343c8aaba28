"""Summaries: what listings show of a card."""

from zoo.registry.card import Card, Claim, Input, Licenses, UrlSource, Weights
from zoo.registry.summary import summary_of

FILES = {"model": [UrlSource(url="https://e.org/w.pth")]}
CLAIMS = [
    Claim(dataset="other", metric="AP", value=90.0, source="s"),
    Claim(dataset="coco_val2017", metric="AP", value=40.0, source="s"),
    Claim(dataset="coco_val2017", metric="AP", value=50.0, source="s"),
]


def card(**fields: object) -> Card:
    return Card(**{"architecture": "a/b", "labels": "coco80", **fields})


def test_facts_are_of_the_default_weights() -> None:
    weights = {
        "old": Weights(files=FILES, megabytes=1.0),
        "new": Weights(
            files=FILES, megabytes=2.0, claims=CLAIMS, licenses=Licenses(weights="CC-BY-4.0")
        ),
    }
    row = summary_of(
        "net",
        card(weights=weights, default="new", licenses=Licenses(code="MIT", weights="MIT")),
        plugin="a",
        line=7,
    )
    assert (row.tags, row.default, row.megabytes) == (("old", "new"), "new", 2.0)
    assert (row.ap, row.ap50) == (40.0, None)  # the first on COCO val2017
    assert (row.code_license, row.weights_license) == ("MIT", "CC-BY-4.0")
    assert (row.qualified, row.line) == ("a/net", 7)


def test_unknown_facts_stay_unknown() -> None:
    row = summary_of("net", card(), plugin="a", line=None)
    assert (row.default, row.megabytes, row.ap, row.size, row.resize) == (None,) * 5


def test_classes_are_those_of_the_label_space_or_listed_or_open() -> None:
    rows = [
        summary_of("net", card(labels=labels), plugin="a", line=None)
        for labels in ("coco_person", ["b", "a"], "open")
    ]
    assert [row.labels for row in rows] == ["coco_person", "custom", "open"]
    assert [row.class_names for row in rows] == [("person",), ("b", "a"), ()]
    assert [row.classes for row in rows] == [1, 2, None]


def test_a_class_counts_once_however_its_name_is_broken_into_lines() -> None:
    row = summary_of("net", card(labels=["traffic\nlight", " car"]), plugin="a", line=None)
    assert row.class_names == ("traffic light", "car")


def test_the_input_is_its_resize_and_size() -> None:
    row = summary_of(
        "net", card(input=Input(resize="fixed", size=[320, 640])), plugin="a", line=None
    )
    assert (row.resize, row.size) == ("fixed", (320, 640))
