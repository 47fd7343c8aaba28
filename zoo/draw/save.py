"""Saves images in the format of the file's suffix."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from pathlib import Path

import PIL.Image

from zoo.errors import ImageError
from zoo.files import write_errors, write_file

# Thin coloured lines suffer most from halved colour resolution, JPEG's default.
_OPTIONS: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 92, "subsampling": 0},
    "WEBP": {"quality": 92},
}


def save(image: PIL.Image.Image, path: str | Path) -> Path:
    """Writes the image, completely or not at all, and returns the path.

    The suffix chooses the format: `.jpg` with quality 92, `.png`, `.webp` and all others that
    Pillow writes.

    Raises: ImageError for an unknown suffix, an image that the format can't hold, or
        a file that can't be written.
    """
    path = Path(path)
    kind = PIL.Image.registered_extensions().get(path.suffix.lower())
    if kind not in PIL.Image.SAVE:
        raise _error(
            path,
            f"No image format has the suffix '{path.suffix}'.",
            "End the name in .jpg, .png or .webp.",
        )
    encoded = BytesIO()
    try:
        image.save(encoded, kind, **_OPTIONS.get(kind, {}))
    except (OSError, ValueError) as cause:
        raise _error(path, f"{kind} can't hold it: {cause}.", "Save it as .png.") from cause
    if not path.parent.exists():
        raise _error(
            path, f"There is no folder '{path.parent}'.", f"Make it first: mkdir -p {path.parent}"
        )
    error = partial(ImageError, file=str(path))
    fix = "Choose another place, or free this one."
    with write_errors(path, error, fix=fix, failure=_failure(path)):
        write_file(path, encoded.getvalue(), durable=False)
    return path


def _error(path: Path, case: str, fix: str) -> ImageError:
    return ImageError(_failure(path), case, fix, file=str(path))


def _failure(path: Path) -> str:
    return f"The image can't be saved as '{path}'."
