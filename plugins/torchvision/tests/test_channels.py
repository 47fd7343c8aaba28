"""Background channels for label spaces with and without channels of their own."""

import pytest
from detzoo_torchvision.channels import with_background

from zoo.errors import LabelError
from zoo.labels import LabelSpace, get


def test_a_plain_list_of_classes_gets_background_in_front() -> None:
    label_space = with_background(LabelSpace.custom(["helmet", "vest"]))
    assert label_space.channels == (-1, 0, 1)
    assert label_space.names == ("helmet", "vest")
    assert label_space.channel_of_label == (1, 2)


def test_one_class_is_a_plain_list_too() -> None:
    assert with_background(LabelSpace.custom(["fish"])).channels == (-1, 0)


@pytest.mark.parametrize("name", ["coco91", "coco_person"])
def test_declared_channels_stay_as_they_are(name: str) -> None:
    assert with_background(get(name)) is get(name)


def test_a_class_on_the_background_channel_is_refused() -> None:
    with pytest.raises(LabelError, match="channel 0 is 'cat'"):
        with_background(LabelSpace("odd", ("cat", "dog"), channels=(0, -1, 1)))
