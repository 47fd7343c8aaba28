"""Pages as files: whole or not at all, with the classes that they show, and where they can be."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import ImageError, UsageError
from zoo.gallery import Gallery, writable_page, write
from zoo.gallery.write import html_of


def data_of(html: str) -> dict[str, Any]:
    held = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert held
    return dict(json.loads(held[1]))


def labels(boxes: Sequence[Sequence[int]]) -> list[int]:
    return [box[0] for box in boxes]


def test_only_classes_that_have_a_box_are_in_the_page(known: Gallery) -> None:
    data = data_of(html_of(known))
    assert [one["name"] for one in data["classes"]] == ["cat", "dog"]
    assert [one["color"] for one in data["classes"]] == ["#ff9f1c", "#25d2fc"]
    assert labels(data["images"][1]["found"]) == [0, 1, 1]
    assert labels(data["images"][0]["truth"]) == [0, 1]


def test_the_page_names_no_other_host(known: Gallery) -> None:
    html = html_of(known)
    found = re.findall(r"(?:https?:)?//[a-z][\w.-]+\.\w+", html)
    assert found == ["http://www.w3.org"]  # the name of SVG's namespace
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", html)


def test_what_was_written_is_said(known: Gallery, tmp_path: Path) -> None:
    written = write(known, tmp_path / "a.html")
    assert written.bytes == (tmp_path / "a.html").stat().st_size
    assert str(written) == f"{tmp_path / 'a.html'} (0.0 MB, 3 images)"


def test_a_place_that_can_not_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    for name, error, message in (
        ("a.jpg", UsageError, "does not end in .html"),
        ("folder.html", ImageError, "That is a folder"),
        ("nowhere/a.html", ImageError, "There is no folder"),
    ):
        with pytest.raises(error, match=message):
            writable_page(tmp_path / name)
    assert writable_page(tmp_path / "A.HTM") == tmp_path / "A.HTM"
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.html"]
