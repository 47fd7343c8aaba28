"""The plot is a PNG, or says why it is none."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from zoo.errors import DataError
from zoo.timing import Benchmark

pytest.importorskip("matplotlib")


def test_it_is_an_image(measured: Benchmark, tmp_path: Path) -> None:
    measured.plot(tmp_path / "speed.png")
    image = PIL.Image.open(tmp_path / "speed.png").convert("RGB")
    assert image.width > 1000
    assert (33, 102, 172) in {color for _, color in image.getcolors(1 << 24) or []}


def test_a_place_that_is_none_is_named(measured: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"can't be written to .*file"):
        measured.plot(tmp_path / "file" / "speed.png")
