"""Folders, globs, lists and generators become one ordered, lazy sequence."""

import itertools
import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from zoo.errors import ImageError
from zoo.images import expand, is_many, read


@pytest.fixture
def album(tmp_path):
    for name in (
        "b2.png",
        "b10.png",
        "A1.JPG",
        ".hidden.png",
        "notes.txt",
        "deep/c.webp",
        "deep/deeper/d.png",
        "dir.png/e.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(album, found):
    return [Path(path).relative_to(album).as_posix() for path in found]


def test_a_folder_gives_its_images_in_natural_order(album):
    assert names(album, expand(album)) == ["A1.JPG", "b2.png", "b10.png"]
    assert names(album, expand(str(album))) == ["A1.JPG", "b2.png", "b10.png"]


def test_a_glob_gives_its_images_in_natural_order(album):
    assert names(album, expand(album / "b*")) == ["b2.png", "b10.png"]
    assert names(album, expand(album / "*")) == ["A1.JPG", "b2.png", "b10.png"]


def test_two_stars_go_down(album):
    found = names(album, expand(album / "**"))
    assert found == [
        "A1.JPG",
        "b2.png",
        "b10.png",
        "deep/c.webp",
        "deep/deeper/d.png",
        "dir.png/e.png",
    ]


def test_a_list_may_mix_everything(album, pixels):
    tensor = torch.zeros(3, 2, 2, dtype=torch.uint8)
    mixed = [
        album / "b2.png",
        pixels,
        str(album / "b*.png"),
        tensor,
        b"bytes",
        "https://host/a*b.jpg?x=[1]",
    ]
    found = list(expand(mixed))
    assert names(album, [found[0], *found[2:4]]) == ["b2.png", "b2.png", "b10.png"]
    assert found[1] is pixels
    assert found[4] is tensor
    assert found[5:] == [b"bytes", "https://host/a*b.jpg?x=[1]"]


def test_a_folder_may_be_a_file_url(album):
    assert is_many(album.as_uri())
    assert names(album, expand(album.as_uri())) == ["A1.JPG", "b2.png", "b10.png"]


@pytest.mark.parametrize(
    "one", [{"a": "b.png"}, {"b.png"}, None, 5], ids=["dict", "set", "None", "int"]
)
def test_what_is_no_series_stays_one(one):
    assert not is_many(one)
    assert list(expand(one)) == [one]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(album):
    (album / "x[1].png").touch()
    (album / "x1.png").touch()
    assert names(album, expand(album / "x[1].png")) == ["x[1].png"]
    assert not is_many(album / "x[1].png")


def test_a_generator_is_pulled_one_at_a_time(pixels):
    pulled = itertools.count()
    endless = expand((next(pulled), pixels)[1] for _ in itertools.count())
    next(endless)
    next(endless)
    assert next(pulled) == 2


@pytest.mark.parametrize("nothing", ["empty", "empty/*.png", "missing.png", "missing/**"])
def test_what_gives_no_image_stays_in_its_place_to_be_refused_when_read(nothing, album):
    (album / "empty").mkdir()
    nowhere = str(album / nothing)
    found = list(expand([album / "b2.png", nowhere, album / "b10.png"]))
    assert found[1] == nowhere
    assert len(found) == 3
    with pytest.raises(ImageError):
        read(nowhere)


def test_a_folder_that_may_not_be_read_stays_in_its_place_to_be_refused(album, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(
        os, "scandir", locked
    )  # the superuser, as whom tests may run, is never denied
    assert list(expand([album])) == [str(album)]
    with pytest.raises(ImageError, match=r"folder that can't be opened: .*Permission denied"):
        read(album)


def test_one_image_is_told_from_many(album):
    one = [
        album / "b2.png",
        str(album / "no.png"),
        "http://host/*.png",
        b"x",
        bytearray(),
        memoryview(b""),
    ]
    one += [np.zeros((2, 2)), torch.zeros(2, 2, 2, 2), PIL.Image.new("L", (2, 2)), None, open]
    many = [
        album,
        str(album / "*.png"),
        [],
        (),
        iter([]),
        (b"" for _ in range(2)),
        {"a": 1}.values(),
    ]
    assert [is_many(source) for source in one] == [False] * len(one)
    assert [is_many(source) for source in many] == [True] * len(many)


def test_the_home_folder_is_spelled_with_a_tilde(album, monkeypatch):
    monkeypatch.setenv("HOME", str(album))
    PIL.Image.new("RGB", (3, 2)).save(album / "b2.png")
    assert is_many("~")
    assert names(album, expand("~/*.png")) == ["b2.png", "b10.png"]
    assert read("~/b2.png").size == (2, 3)
