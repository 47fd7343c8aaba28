import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo import labels
from zoo.labels import LabelSpace, match_labels

FEW = st.lists(
    st.sampled_from(
        [
            "tv",
            "TV",
            "tvmonitor",
            "sofa",
            "couch",
            "Couch",
            "dog",
            "DOG",
            "hot dog",
            "hotdog",
            "cat",
            "cab",
        ]
    ),
    min_size=1,
    unique=True,
)


def pairs(model: list[str], data: list[str]) -> list[tuple[str, str]]:
    match = match_labels(LabelSpace.custom(model), LabelSpace.custom(data))
    return [(model[ours], data[theirs]) for ours, theirs in match.pairs]


def test_equal_names_meet_whatever_their_order() -> None:
    assert pairs(["a", "b", "c"], ["c", "x", "a"]) == [("a", "a"), ("c", "c")]


def test_spelling_does_not_matter() -> None:
    assert pairs(["dining table", "Hot_Dog"], ["hot-dog", "DiningTable"]) == [
        ("dining table", "DiningTable"),
        ("Hot_Dog", "hot-dog"),
    ]


def test_accents_meet_however_they_were_typed() -> None:
    assert pairs(["caf\u00e9"], ["cafe\u0301"]) == [("caf\u00e9", "cafe\u0301")]


def test_declared_synonyms_meet_in_both_directions() -> None:
    assert pairs(["tv", "motorbike"], ["motorcycle", "tvmonitor"]) == [
        ("tv", "tvmonitor"),
        ("motorbike", "motorcycle"),
    ]


def test_an_exact_name_wins_over_a_synonym() -> None:
    assert pairs(["tv"], ["tvmonitor", "tv"]) == [("tv", "tv")]


def test_what_is_ambiguous_stays_unpaired() -> None:
    match = match_labels(LabelSpace.custom(["sofa"]), LabelSpace.custom(["couch", "Couch"]))
    assert (match.pairs, match.model_only, match.data_only) == (
        (),
        ("sofa",),
        ("couch", "Couch"),
    )


@given(FEW, FEW)
def test_nothing_is_dropped_or_met_twice(model: list[str], data: list[str]) -> None:
    match = match_labels(LabelSpace.custom(model), LabelSpace.custom(data))
    ours, theirs = [one for one, _ in match.pairs], [other for _, other in match.pairs]
    assert sorted([*(model[label] for label in ours), *match.model_only]) == sorted(model)
    assert sorted([*(data[label] for label in theirs), *match.data_only]) == sorted(data)


@given(FEW, FEW)
def test_meeting_is_mutual(model: list[str], data: list[str]) -> None:
    there, back = pairs(model, data), pairs(data, model)
    assert sorted(there) == sorted((ours, theirs) for theirs, ours in back)


def test_coco_knows_every_class_of_voc() -> None:
    match = match_labels(labels.get("coco80"), labels.get("voc20"))
    assert match.complete
    assert len(match.pairs) == 20
    assert ("tv", "tvmonitor") in match.renamed
    assert len(match.renamed) == 4  # two more differ by a blank only


def test_the_coco_spaces_meet_label_by_label() -> None:
    match = match_labels(labels.get("coco91"), labels.get("coco80"))
    assert match.pairs == tuple((label, label) for label in range(80))


def test_objects365_meets_its_later_spelling() -> None:
    later = [
        "Monitor/TV",
        "Basket",
        "Balloon",
        "Dining Table",
        "Billiards",
        "Extension Cord",
        "Hot-air balloon",
        "Hami melon",
        "Mushroom",
        "Tape Measure/Ruler",
        "Camel",
        "Meatball",
        "Butterfly",
        "Table Tennis paddle",
        "Noodles",
    ]
    assert match_labels(labels.get("objects365"), LabelSpace.custom(later)).complete


def test_the_report_names_what_does_not_meet() -> None:
    report = str(
        match_labels(
            LabelSpace.custom(["dog", "cab", "tv"]), LabelSpace.custom(["dog", "cat", "tvmonitor"])
        )
    )
    assert (
        "The model (dog, cab, tv) knows 2 of the 3 classes of the data (dog, cat, tvmonitor)."
        in report
    )
    assert "tv = tvmonitor" in report
    assert "Only in the data: cat." in report
    assert "Only in the model: cab." in report


@pytest.mark.parametrize("name", labels.names())
def test_no_declared_space_is_ambiguous_in_itself(name: str) -> None:
    shouted = LabelSpace.custom([one.upper() for one in labels.get(name).names])
    assert match_labels(labels.get(name), shouted).complete
