"""Reads one image, with the same pixels in every form."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Set
from typing import BinaryIO

import numpy as np
import PIL.Image
from torch import Tensor

from zoo.errors import ImageError, ZooError
from zoo.files import NotRegular, open_regular
from zoo.images.arrays import from_array, from_tensor
from zoo.images.decode import Reserve, decode, from_pil
from zoo.images.image import Exif, Image, unreadable
from zoo.images.limits import Limits
from zoo.images.sources import (
    Source,
    images_in,
    is_glob,
    is_url,
    matches,
    name_of,
    path_of,
    scheme_of,
)
from zoo.images.web import fetch
from zoo.text import pluralize, type_name

FORMS = (
    "Pass a path, a URL, bytes, a PIL image, a uint8 array (height, width, 3) or a uint8 tensor "
    "(3, height, width)."
)


def read(
    source: Source,
    *,
    exif: Exif = "apply",
    name: str | None = None,
    limits: Limits | None = None,
    reserve: Reserve | None = None,
) -> Image:
    """The image as uint8 RGB.

    Path (a file:// URL is one), http(s) URL and bytes are decoded by Pillow, so that they and a PIL
    image give identical bits: gray of more than 8 bits is scaled to 8 if its white is known; CMYK,
    YCbCr, LAB and palettes become RGB; alpha is dropped; color profiles are not applied; of an
    animation or a stack of pages the first is read. A PIL image is taken at its current frame.
    Losses are listed in `lost`, and `detect` warns of them.
    An array is uint8 `(height, width[, 1 | 3 | 4])` in RGB order (OpenCV's are BGR: pass
    `image[..., ::-1]`), a tensor uint8 `([1 | 3 | 4,] height, width)`: one channel is gray, a
    fourth is alpha. Floats are taken as [0, 1].

    exif:    "apply" turns the image upright as its EXIF orientation says, "ignore" leaves it as it
             is stored.
    name:    its name in messages; None is its path or URL.
    limits:  how many pixels are decoded and how many bytes downloaded; None is what the environment
             says (`docs/reference/settings.md`). The limit of seconds holds in `detect`, which
             reads on threads, and for downloads.
    reserve: called with the bytes that decoding takes before they are taken; it may wait.

    Raises:
        ImageError: it can't be read; the message names the image, the reason and what to do.
        UsageError: a setting of the environment is none.
    """
    if exif not in ("apply", "ignore"):
        raise ValueError(
            f"exif={exif!r}: 'apply' turns images upright, 'ignore' leaves them as they are stored"
        )
    name = name or name_of(source)
    try:
        return _read(source, name, exif, Limits.in_force(limits), reserve)
    except ZooError:
        raise
    except MemoryError as error:
        raise unreadable(
            name, "There is not enough memory for it.", "Make it smaller, or leave it out."
        ) from error
    except Exception as error:  # what is given may have code of its own
        says = f"{type(error).__name__}: {' '.join(str(error).split()):.300}".rstrip(": ")
        raise unreadable(name, f"Reading {type_name(source)} raised {says}.", FORMS) from error


def _read(source: Source, name: str, exif: Exif, limits: Limits, reserve: Reserve | None) -> Image:
    match source:
        case Tensor():
            return from_tensor(source, name)
        case np.ndarray():
            return from_array(source, name)
        case PIL.Image.Image():
            return from_pil(source, name, exif=exif, limits=limits, reserve=reserve)
        case bytes() | bytearray() | memoryview():
            return decode(
                io.BytesIO(bytes(source)), name, exif=exif, limits=limits, reserve=reserve
            )
        case str() | os.PathLike():
            with _opened(path_of(source), name, limits) as file:
                return decode(file, name, exif=exif, limits=limits, reserve=reserve)
    raise _unknown(source, name)


def _opened(path: str, name: str, limits: Limits) -> BinaryIO:
    """The file or what is behind the URL. Raises: ImageError."""
    if is_url(path):
        return io.BytesIO(fetch(path, limits=limits))
    if (scheme := scheme_of(path)) and not os.path.lexists(path):
        raise _unfetched(scheme, name)
    try:
        return open_regular(path)
    except IsADirectoryError:
        raise _folder(path, name) from None
    except FileNotFoundError:
        raise _missing(path, name) from None
    except NotRegular as error:
        fix = "Pass a file, or what it would give as bytes."
        raise unreadable(
            name, f"It {str(error.strerror)[:1].lower()}{str(error.strerror)[1:]}.", fix
        ) from None
    except (OSError, ValueError) as error:  # no permission, a name too long, a null byte in it
        if os.path.isdir(path):  # Windows calls opening a folder a lack of permission
            raise _folder(path, name) from None
        says = getattr(error, "strerror", None) or error
        raise unreadable(
            name, f"It can't be opened: {says}.", "Check the path and who may read it."
        ) from error


def _unfetched(scheme: str, name: str) -> ImageError:
    case = f"Its address begins with {scheme}:, and images are fetched from http: and https: only."
    if scheme == "data":
        return unreadable(
            f"{name:.40}…", case, "Pass its bytes: base64.b64decode(address.partition(',')[2])."
        )
    if scheme == "file":
        return unreadable(name, case, "Pass the path itself, without file://.")
    return unreadable(name, case, "Download it first and pass its path.")


def _folder(path: str, name: str) -> ImageError:
    try:
        found = images_in(path)
    except OSError as why:
        return unreadable(
            name, f"It is a folder that can't be opened: {why}.", "Check who may read it."
        )
    if found:
        return unreadable(
            name,
            f"It is a folder with {pluralize(len(found), 'image')}.",
            "Pass one of its files; detect() takes folders.",
        )
    return unreadable(
        name,
        "It is a folder, and no file in it has an image's suffix (.jpg, .png, …).",
        f"For its subfolders pass '{os.path.join(path, '**')}'; for files with other suffixes, a "
        f"list of paths.",
    )


def _missing(path: str, name: str) -> ImageError:
    if is_glob(path) and not matches(path):
        fix = "Quote the pattern, check it in the shell with ls, or pass a list of paths."
        return unreadable(
            name, "The pattern matches no file with an image's suffix (.jpg, .png, …).", fix
        )
    where = "" if os.path.isabs(path) else f"; it was looked for from {os.getcwd()}"
    return unreadable(name, "There is no such file.", f"Check the path{where}.")


def _unknown(source: object, name: str) -> ImageError:
    if source is None:
        return unreadable(
            name,
            "It is None, which is what cv2.imread returns for a file it can't read.",
            "Pass the path itself.",
        )
    if hasattr(source, "read"):
        return unreadable(name, "It is an open file.", "Pass its bytes, file.read(), or its path.")
    if isinstance(source, Mapping):
        case = f"It is {type_name(source)}, whose keys are not images."
        return unreadable(name, case, "Pass its images as a list: list(images.values()).")
    if isinstance(source, Set):
        case = (
            f"It is {type_name(source)}, which has no order, so nobody could say which answer is "
            f"whose."
        )
        return unreadable(name, case, "Pass a list: sorted(paths).")
    return unreadable(
        name,
        f"It is {type_name(source)}, which is not a form of an image.",
        FORMS,
    )
