"""Pixels: the same bytes everywhere, and what the boxes say is in them."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from detzoo_shapes.render import blurred, light_field, render
from detzoo_shapes.scene import Light, compose

GOLDEN = "b26426b71fd00d1ee74f237b7e2bd4f1faa4a412fa7df50883af795b1b501fd5"
CODE = """
import hashlib
from detzoo_shapes.render import render
from detzoo_shapes.scene import compose
digest = hashlib.sha256()
for index in range(6):
    digest.update(render(compose("test", index)).tobytes())
print(digest.hexdigest())
"""


def test_the_bytes_of_these_scenes_are_these_on_every_machine_and_in_every_process() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == GOLDEN


def test_rendering_other_scenes_in_between_changes_nothing() -> None:
    first = render(compose("val", 0))
    render(compose("val", 1))
    assert np.array_equal(first, render(compose("val", 0)))


def test_no_two_splits_share_an_image() -> None:
    digests = [
        hashlib.sha256(render(compose(split, index, size=(96, 96))).tobytes()).digest()
        for split in ("train", "val", "test")
        for index in range(30)
    ]
    assert len(set(digests)) == len(digests)


def test_an_image_is_rgb_of_the_scenes_size() -> None:
    scene = compose("val", 2, size=(200, 130))
    pixels = render(scene)
    assert pixels.shape == (130, 200, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags["C_CONTIGUOUS"]


def test_an_object_is_where_its_box_is() -> None:
    for index in range(8):
        whole = compose("val", index)
        if not whole.objects:
            continue
        last = whole.objects[-1]
        without = replace(whole, objects=whole.objects[:-1])
        changed = np.abs(render(whole).astype(int) - render(without).astype(int)).max(axis=2) > 24
        left, top, right, bottom = whole.boxes[-1]
        inside = changed[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        assert inside.sum() > 0.3 * whole.areas[-1]
        reach = int(last.lift * 2 + 4)
        outer = changed.copy()
        outer[
            max(int(top) - reach, 0) : int(bottom) + reach,
            max(int(left) - reach, 0) : int(right) + reach,
        ] = False
        assert not outer.any()


def test_a_blur_keeps_a_flat_image_and_the_sum_of_a_dot() -> None:
    flat = np.full((6, 7), 40, np.float32)
    assert np.array_equal(blurred(flat), flat)
    dot = np.zeros((7, 7), np.float32)
    dot[3, 3] = 16
    assert blurred(dot)[2:5, 2:5].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_light_falls_off_from_where_it_is() -> None:
    field = light_field(Light((0.0, 0.0), 0.5, 1.0, (1.0, 1.0)), 20, 30)
    assert field.shape == (20, 30)
    assert field[0, 0] == field.max() == pytest.approx(1, abs=0.01)
    assert field[-1, -1] == field.min() == pytest.approx(0.25, abs=0.15)
