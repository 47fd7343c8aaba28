"""Scenes: pure functions of their key, with the truth about what is hidden."""

import numpy as np
import pytest
from detzoo_shapes.outlines import DISTANCES, NAMES
from detzoo_shapes.place import mask_of, ribbon_mask, window_of
from detzoo_shapes.scene import MOST_HIDDEN, SPLITS, Scene, compose

SCENES = [compose("train", index) for index in range(120)]


def hidden_shares(scene: Scene) -> list[float]:
    """counted again, from whole masks of the image."""
    masks = []
    for item in scene.objects:
        mask = np.zeros((scene.height, scene.width), bool)
        window = window_of(item.placed, scene.width, scene.height)
        mask[window] = mask_of(item.placed, DISTANCES[item.label], window)
        masks.append(mask)
    for band in scene.before:
        masks.append(ribbon_mask(band.normal, band.offset, band.half, scene.width, scene.height))
    shares = []
    for position in range(len(scene.objects)):
        before = np.zeros((scene.height, scene.width), bool)
        for other in masks[position + 1 :]:
            before |= other
        shares.append((masks[position] & before).sum() / masks[position].sum())
    return shares


def test_a_scene_is_the_same_each_time() -> None:
    assert repr(compose("val", 3)) == repr(compose("val", 3))
    assert np.array_equal(compose("val", 3).boxes, compose("val", 3).boxes)


def test_split_seed_and_index_each_give_another_scene() -> None:
    boxes = [
        compose(split, index, seed=seed).boxes.tobytes()
        for split in SPLITS
        for index in range(20)
        for seed in (0, 1)
    ]
    assert len(set(boxes)) == len(boxes)


def test_what_is_hidden_is_counted_right_and_never_more_than_half() -> None:
    for scene in SCENES[:25]:
        assert scene.hidden.tolist() == pytest.approx(hidden_shares(scene))
        assert scene.hidden.max(initial=0) <= MOST_HIDDEN
    assert max(scene.hidden.max(initial=0) for scene in SCENES) > 0.4


def test_every_shape_in_the_image_has_its_box_and_every_box_is_inside() -> None:
    for scene in SCENES:
        assert len(scene.objects) == len(scene.boxes) == len(scene.areas) == len(scene.labels)
        left, top, right, bottom = scene.boxes.T
        assert (left >= 0).all()
        assert (top >= 0).all()
        assert (right <= scene.width).all()
        assert (bottom <= scene.height).all()
        assert (right > left).all()
        assert (bottom > top).all()


def test_objects_are_from_8_to_400_pixels_of_all_classes_from_few_to_crowded() -> None:
    many = [compose("train", index) for index in range(700)]
    sides = np.array(
        [
            max(
                item.placed.extent[2] - item.placed.extent[0],
                item.placed.extent[3] - item.placed.extent[1],
            )
            for scene in many
            for item in scene.objects
        ]
    )
    assert 8 <= sides.min() < 8.5
    assert 380 < sides.max() <= 400
    labels = np.concatenate([scene.labels for scene in many])
    assert np.bincount(labels, minlength=len(NAMES)).min() > 500
    counts = [len(scene.objects) for scene in many]
    assert min(counts) <= 2
    assert max(counts) > 24
    assert {scene.density for scene in many} == {"sparse", "mixed", "crowded"}


def test_a_size_can_be_asked_for() -> None:
    scene = compose("test", 0, size=(200, 160))
    assert (scene.width, scene.height) == (200, 160)
    assert (scene.boxes[:, 2] <= 200).all()


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="not in"):
        compose("trial", 0)
