import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from torchvision.models._meta import _COCO_CATEGORIES
from torchvision.tv_tensors._dataset_wrapper import VOC_DETECTION_CATEGORIES

from zoo import labels
from zoo.errors import NameNotFound
from zoo.labels import LabelSpace
from zoo.labels.builtin import labels_of_card, warn_of_lost_ids

UNUSED = ("__background__", "N/A")
COCO = {number: name for number, name in enumerate(_COCO_CATEGORIES) if name not in UNUSED}

# The 365 names of the second published copy, blanks at their ends trimmed, joined by line feeds:
# https://github.com/IDEA-Research/OpenSeeD/blob/23293ff1eff8de27ff3e13acaca75f613ce851f8/datasets/registration/register_object365_od.py
OBJECTS365_SHA256 = "3f07ab5686e185542746c2ba14c18faac180e6ce5708457c9d620e8abaef3fd5"


def test_the_declared_spaces_are_listed_in_order() -> None:
    assert labels.names() == ("coco80", "coco90", "coco91", "coco_person", "objects365", "voc20")
    assert [labels.get(name).name for name in labels.names()] == list(labels.names())


@pytest.mark.parametrize("name", ["coco80", "coco90", "coco91"])
def test_coco_is_what_torchvision_publishes(name: str) -> None:
    assert dict(zip(labels.get(name).ids, labels.get(name).names, strict=True)) == COCO


def test_coco_is_what_an_annotation_file_says(shared: Path) -> None:
    categories = json.loads((shared / "coco_val2017_128" / "instances.json").read_text())[
        "categories"
    ]
    assert [(one["id"], one["name"]) for one in categories] == list(COCO.items())


def test_coco80_has_a_channel_a_class() -> None:
    assert labels.get("coco80").channels == tuple(range(80))


def test_coco91_has_a_channel_for_each_of_torchvisions_names() -> None:
    label_space = labels.get("coco91")
    spelled = [label_space.names[label] if label >= 0 else None for label in label_space.channels]
    assert spelled == [None if name in UNUSED else name for name in _COCO_CATEGORIES]


def test_coco90_is_coco91_without_background() -> None:
    assert labels.get("coco90").channels == labels.get("coco91").channels[1:]


def test_coco_person_is_background_and_person() -> None:
    label_space = labels.get("coco_person")
    assert (label_space.names, label_space.ids, label_space.channels) == (
        ("person",),
        (1,),
        (-1, 0),
    )


def test_voc_is_what_torchvision_publishes() -> None:
    label_space = labels.get("voc20")
    assert ["__background__", *label_space.names] == VOC_DETECTION_CATEGORIES
    assert label_space.ids == tuple(range(1, 21))
    assert label_space.channels == tuple(range(20))


def test_objects365_is_what_is_published() -> None:
    label_space = labels.get("objects365")
    assert hashlib.sha256("\n".join(label_space.names).encode()).hexdigest() == OBJECTS365_SHA256
    assert label_space.ids == tuple(range(1, 366))
    assert label_space.channels == tuple(range(365))


def test_a_space_is_read_once() -> None:
    assert labels.get("voc20") is labels.get("voc20")


@pytest.mark.parametrize("asked", ["coco", "COCO80", "coco-80"])
def test_a_mistyped_name_gets_the_near_ones(asked: str) -> None:
    with pytest.raises(NameNotFound, match=r"Did you mean .*'coco80'"):
        labels.get(asked)


def test_a_space_is_meant_by_itself_its_name_or_its_classes() -> None:
    assert labels.space_of(labels.get("voc20")) is labels.space_of("voc20")
    assert labels.space_of(["a", "b"]) == LabelSpace.custom(["a", "b"])


@pytest.mark.parametrize("name", labels.names())
def test_a_card_says_a_declared_space_by_its_name(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    space = labels.get(name)
    behind_background = replace(space, channels=(-1, *space.channels))
    assert (labels_of_card(space), labels_of_card(behind_background)) == (name, name)
    warn_of_lost_ids(space)
    assert caplog.messages == []


def test_a_space_that_only_borrows_a_declared_name_is_said_by_its_classes() -> None:
    assert labels_of_card(LabelSpace("coco80", ("a", "b"))) == ["a", "b"]
    coco = labels.get("coco80")
    assert labels_of_card(replace(coco, ids=())) == list(coco.names)
    assert labels_of_card(replace(coco, channels=coco.channels[::-1])) == list(coco.names)


def test_ids_that_a_card_can_not_keep_are_said(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_lost_ids(LabelSpace.custom(["a", "b"]))
    assert caplog.messages == []
    warn_of_lost_ids(LabelSpace("pair", ("a", "b"), (7, 9)))
    [said] = caplog.messages
    assert "not their ids, 7, 9: what is loaded from it numbers them from 0" in said


def test_labels_need_neither_torch_nor_numpy() -> None:
    script = (
        "import sys; from zoo import labels; labels.match_labels(labels.get('coco91'), "
        "labels.get('objects365')); "
        "assert not {'torch', 'numpy', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
