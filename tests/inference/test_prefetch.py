"""Images read ahead: in order, no further than allowed, with errors in their places."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from zoo.errors import ImageError
from zoo.images import Image, Limits
from zoo.inference import prefetch as module
from zoo.inference.prefetch import Broken, Read, prefetch


def fetched(sources: Iterable[Any], **options: Any) -> Iterator[Read]:
    how: dict[str, Any] = {"exif": "apply", "threads": 2, "ahead": 4, "limits": Limits()}
    return prefetch(sources, **(how | options))


def image(width: int) -> PIL.Image.Image:
    return PIL.Image.new("RGB", (width, 4))


def encoded(width: int) -> bytes:
    file = io.BytesIO()
    image(width).save(file, "PNG")
    return file.getvalue()


def widths(found: Iterable[Read]) -> list[int]:
    return [one.size[1] if isinstance(one, Image) else -1 for one in found]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_every_form_comes_out_in_its_turn(tmp_path: Path, threads: int) -> None:
    file = tmp_path / "a.png"
    image(1).save(file)
    array = np.zeros((4, 3, 3), np.uint8)
    sources = [file, encoded(2), array, torch.zeros(3, 4, 4, dtype=torch.uint8), image(5)]
    assert widths(fetched(sources, threads=threads)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_stands_in_the_place_of_its_image(threads: int) -> None:
    first, second, third = fetched([encoded(1), b"no image", encoded(3)], threads=threads)
    assert isinstance(second, ImageError)
    assert "image 1" in str(second)
    assert widths([first, third]) == [1, 3]


def test_what_the_source_raises_comes_last() -> None:
    def sources() -> Iterator[bytes]:
        yield encoded(1)
        raise RuntimeError("no more")

    first, last = fetched(sources())
    assert widths([first]) == [1]
    assert isinstance(last, Broken)
    assert str(last.error) == "no more"


@pytest.mark.parametrize(("threads", "pulled"), [(0, 1), (2, 4)])
def test_no_more_is_pulled_than_allowed(threads: int, pulled: int) -> None:
    count = 0

    def sources() -> Iterator[bytes]:
        nonlocal count
        for width in range(1, 20):
            count += 1
            yield encoded(width)

    found = fetched(sources(), threads=threads, ahead=4)
    next(found)
    assert count == pulled
    found.close()  # type: ignore[attr-defined]  # it is a generator


def test_large_images_that_wait_stop_the_reading_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD_BYTES", 1)
    pulled: list[int] = []

    def sources() -> Iterator[torch.Tensor]:
        for number in range(100):
            pulled.append(number)
            yield torch.zeros(3, 4, 4, dtype=torch.uint8)

    found = fetched(sources(), threads=1, ahead=50)
    next(found)
    assert len(pulled) < 5
    found.close()  # type: ignore[attr-defined]


def test_closing_reads_nothing_more() -> None:
    found = fetched([encoded(width) for width in range(1, 50)], ahead=2)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert list(found) == []
