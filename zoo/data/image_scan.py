"""The files of a data set's images, one after another: there, readable, how large, and what they
look like in 16 x 17 grey fields."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.image_files import orientation_of, upright
from zoo.data.image_records import ImageRecord
from zoo.data.near_duplicates import COLUMNS, ROWS
from zoo.environment import cores
from zoo.errors import DataError
from zoo.progress import Bar

_SMALL = (128, 128)  # a JPEG is decoded at about this size, which takes a fifth of the time


@dataclass(frozen=True)
class ImageFacts:
    """One file as it is.

    flaw: why it can't be read: "missing", or what the decoder says; empty if it can.
    size: width and height as stored. orientation: EXIF's, 1 is upright.
    fields: (16, 17) uint8 grey, if it was decoded.
    """

    flaw: str = ""
    size: tuple[int, int] = (0, 0)
    orientation: int = 1
    fields: NDArray[np.uint8] | None = None

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as the image is shown."""
        return upright(self.size, self.orientation)


def scan_images(
    records: Sequence[ImageRecord], *, decode: bool = True, show: bool | None = None
) -> list[ImageFacts]:
    """The facts of each image. decode: read all of it, else its header alone."""
    scanned = []
    with (
        Bar("Reading images", total=len(records), show=show) as bar,
        ThreadPoolExecutor(cores()) as pool,
    ):
        for facts in pool.map(lambda record: _facts(record, decode), records, chunksize=1):
            scanned.append(facts)
            bar.advance()
    return scanned


def _facts(record: ImageRecord, decode: bool) -> ImageFacts:
    from PIL import Image

    try:
        source = record.source()
        if isinstance(source, Path) and not source.is_file():
            return ImageFacts("missing")
        stream: Any = io.BytesIO(source) if isinstance(source, bytes) else source
        with warnings.catch_warnings(), Image.open(stream) as image:
            warnings.simplefilter("ignore")
            size, orientation = image.size, orientation_of(image)
            return ImageFacts("", size, orientation, _fields(image) if decode else None)
    except DataError as error:
        return ImageFacts(error.case)
    except Exception as error:  # whatever a damaged file makes a decoder raise
        return ImageFacts(f"{type(error).__name__}: {error}"[:200])


def _fields(image: Any) -> NDArray[np.uint8]:
    """Grey fields of an image, which is decoded as a whole."""
    from PIL.Image import Resampling

    image.draft("L", _SMALL)
    small = image.convert("L").resize((COLUMNS, ROWS), Resampling.BOX)
    return np.asarray(small, np.uint8)
