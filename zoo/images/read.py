"""Reads an image from every source, with the same pixels in every form; a folder, a glob or a list
becomes an ordered sequence of sources."""

from __future__ import annotations

import glob
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import BinaryIO, TypeAlias, TypeGuard

import numpy as np
import PIL.Image
from torch import Tensor

from zoo.errors import ImageError, ZooError
from zoo.files import NotRegular, open_regular
from zoo.images.arrays import from_array, from_tensor
from zoo.images.decode import Limits, Reserve, decode, from_pil
from zoo.images.rgb import Array, Exif, Image
from zoo.images.unreadable import unreadable
from zoo.images.web import fetch
from zoo.paths import IMAGE_SUFFIXES
from zoo.printable import without_password
from zoo.text import pluralize, type_name

Pixels: TypeAlias = bytes | bytearray | memoryview | PIL.Image.Image | Array | Tensor
Source: TypeAlias = str | os.PathLike[str] | Pixels
Sources: TypeAlias = Source | Iterable[Source]


FETCHED_SCHEMES = ("http", "https")
_FILE = re.compile(r"file://(?=/)", re.IGNORECASE)
_SCHEME = re.compile(r"(?:([a-z][a-z0-9+.-]+)://|(data):)", re.IGNORECASE)

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
    """Reads an image as uint8 RGB.

    Paths (also as file:// URLs), http(s) URLs and bytes are decoded by Pillow, with the same pixels
    as a PIL image: gray of more than 8 bits is scaled to 8 if its white is known; CMYK, YCbCr, LAB
    and palettes become RGB; alpha is dropped; color profiles are not applied; of an animation or a
    stack of pages, the first is read. Of a PIL image, the current frame is read. Losses are listed
    in `lost`, and `detect` warns of them.
    An array is uint8 `(height, width[, 1 | 3 | 4])` in RGB order (OpenCV's are BGR: pass
    `image[..., ::-1]`), a tensor uint8 `([1 | 3 | 4,] height, width)`: one channel is gray, a
    fourth is alpha. Floats are in [0, 1].

    exif:    "apply" turns the image upright by its EXIF orientation, "ignore" leaves it as stored.
    name:    its name in messages; None is its path or URL, with `***` for a password.
    limits:  how many pixels are decoded and how many bytes downloaded; None takes them from the
             environment (`docs/reference/settings.md`). The limit of seconds applies in `detect`,
             which reads on threads, and to downloads.
    reserve: called with the number of bytes before decoding allocates them; it may wait.

    Raises:
        ImageError: it can't be read; the message names the image, the reason and what to do.
        UsageError: an environment variable has an invalid value.
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
    except Exception as error:  # the source may be an object with code of its own
        reason = f"{type(error).__name__}: {' '.join(str(error).split()):.300}".rstrip(": ")
        raise unreadable(name, f"Reading {type_name(source)} raised {reason}.", FORMS) from error


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
            with _open(path_of(source), name, limits) as file:
                return decode(file, name, exif=exif, limits=limits, reserve=reserve)
    raise _unknown(source, name)


def _open(path: str, name: str, limits: Limits) -> BinaryIO:
    """Opens the file, or fetches the URL. Raises: ImageError."""
    if is_url(path):
        return io.BytesIO(fetch(path, name, limits=limits))
    if (scheme := scheme_of(path)) and not os.path.lexists(path):
        raise _wrong_scheme(scheme, name)
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
        if os.path.isdir(path):  # Windows reports a folder as a lack of permission
            raise _folder(path, name) from None
        reason = getattr(error, "strerror", None) or error
        raise unreadable(
            name, f"It can't be opened: {reason}.", "Check the path and who may read it."
        ) from error


def _wrong_scheme(scheme: str, name: str) -> ImageError:
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
        paths = images_in(path)
    except OSError as error:
        return unreadable(
            name, f"It is a folder that can't be opened: {error}.", "Check who may read it."
        )
    if paths:
        return unreadable(
            name,
            f"It is a folder with {pluralize(len(paths), 'image')}.",
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
            f"It is {type_name(source)}, which has no order, so that results could not be matched "
            f"to images."
        )
        return unreadable(name, case, "Pass a list: sorted(paths).")
    return unreadable(
        name,
        f"It is {type_name(source)}, which is not a form of an image.",
        FORMS,
    )


def expand(source: Sources) -> Iterator[Source]:
    """Yields one image after the other: a folder or glob becomes its files, a list or generator
    its items.

    A folder (without its subfolders) and a glob (`**` includes subfolders) become the files with an
    image's suffix, without hidden ones, in natural order: `frame2.png` before `frame10.png`. One
    without such files is yielded itself, so that reading it raises the error, and the other entries
    of a list are still read.
    """
    for entry in source if _is_series(source) else (source,):
        text = _path_or_none(entry)
        if text is not None:
            yield from _files(text)
        else:
            yield entry  # type: ignore[misc]  # `read` checks it


def is_many(source: Sources) -> bool:
    """Whether the source is a sequence of images, even of one, rather than a single image."""
    if isinstance(source, str | os.PathLike):
        text = _path_or_none(source)
        return text is not None and (os.path.isdir(text) or is_glob(text))
    return _is_series(source)


def path_of(source: str | os.PathLike[str]) -> str:
    """The path or URL as text, with the home folder for `~`, and `/x.jpg` for `file:///x.jpg`."""
    text = os.fsdecode(source)
    if not _FILE.match(text):
        return os.path.expanduser(text)
    from urllib.request import url2pathname  # deferred: it imports http and ssl

    return url2pathname(text[len("file://") :])


def is_url(text: str) -> bool:
    """Whether the text is a URL to fetch rather than a path."""
    return scheme_of(text) in FETCHED_SCHEMES


def scheme_of(text: str) -> str | None:
    """The scheme of an address in lower case, as `https`, `ftp` or `data`; None for a path."""
    scheme = _SCHEME.match(text)
    return (scheme[1] or scheme[2]).lower() if scheme else None


def is_glob(text: str) -> bool:
    """Whether the text is a pattern: it has wildcards, and no file has exactly that name."""
    return glob.has_magic(text) and scheme_of(text) is None and not os.path.lexists(text)


def name_of(source: object, *, position: int | None = None) -> str:
    """The name of an image in messages and `Detections.source`: file, URL without its password, or
    position."""
    if isinstance(source, str | os.PathLike):
        name = os.fsdecode(source)
        return without_password(name) if ":" in name else name
    file = getattr(source, "filename", None) if isinstance(source, PIL.Image.Image) else None
    unnamed = "image" if position is None else f"image {position}"
    return str(file) if file else unnamed


def images_in(folder: str) -> list[str]:
    """The images of a folder in natural order."""
    with os.scandir(folder) as entries:
        return _images(file.path for file in entries if not file.name.startswith("."))


def matches(pattern: str) -> list[str]:
    """The images that a glob matches, in natural order."""
    return _images(glob.iglob(pattern, recursive=True))


def _path_or_none(source: object) -> str | None:
    """The path or URL as text; None for other objects, and for path objects that raise an error."""
    if not isinstance(source, str | os.PathLike):
        return None
    try:
        return path_of(source)
    except Exception:  # a path object has code of its own
        return None


def _is_series(source: object) -> TypeGuard[Iterable[Source]]:
    if isinstance(
        source,
        str
        | bytes
        | bytearray
        | memoryview
        | PIL.Image.Image
        | np.ndarray
        | Tensor
        | Mapping
        | Set,
    ):
        return False  # a mapping's keys are not images, and a set has no order: `read` raises
    return isinstance(source, Iterable) and not hasattr(source, "read")


def _files(text: str) -> list[str]:
    try:
        if os.path.isdir(text):
            return images_in(text) or [text]
        return (matches(text) if is_glob(text) else []) or [text]
    except OSError:  # a folder that may not be read
        return [text]


def _images(paths: Iterable[str]) -> list[str]:
    images = (
        path
        for path in paths
        if os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES and not os.path.isdir(path)
    )
    return sorted(images, key=lambda path: (_natural(path), path))


def _natural(path: str) -> list[int | str]:
    parts = re.split(r"(\d+)", path)  # text, digits, text, digits, ...
    return [int(part) if index % 2 else part.casefold() for index, part in enumerate(parts)]
