"""The fields of `--where`: each reads its values from a summary."""

from zoo.registry.card import Card, Input
from zoo.registry.fields import FIELDS, SYNONYMS
from zoo.registry.summary import summary_of

CARD = Card(
    architecture="a/b", labels=["x", "y"], input=Input(resize="fixed", size=[320, 640]), gflops=1.5
)
ROW = summary_of("net", CARD, plugin="a", line=None)


def test_every_field_reads_values_of_its_kind() -> None:
    for field in FIELDS.values():
        for value in field.read(ROW):
            assert value is None or isinstance(value, float | int) == (field.kind == "number")


def test_values_are_those_of_the_card() -> None:
    read = {name: field.read(ROW) for name, field in FIELDS.items()}
    assert read["name"] == ("net", "a/net")
    assert read["architecture"] == ("a/b", "b")
    assert read["input"] == (640,)
    assert (read["classes"], read["class"], read["gflops"]) == ((2,), ("x", "y"), (1.5,))


def test_open_labels_have_no_number_of_classes() -> None:
    row = summary_of("net", Card(architecture="a/b", labels="open"), plugin="a", line=None)
    assert (FIELDS["classes"].read(row), FIELDS["class"].read(row)) == ((None,), ())


def test_synonyms_stand_for_fields() -> None:
    assert set(SYNONYMS.values()) <= set(FIELDS)
    assert not set(SYNONYMS) & set(FIELDS)
