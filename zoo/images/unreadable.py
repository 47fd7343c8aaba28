"""Errors of images that can't be read, and of invalid limits."""

from __future__ import annotations

import re

import PIL.Image

from zoo.environment import IMAGE_LIMITS
from zoo.errors import ImageError, UsageError, ZooError

COPY_AGAIN = "Copy or download it again."
MAKE_SMALLER = "Make the image smaller, or leave it out."

_NUMBER = re.compile(r"(\d+(?:\.\d*)?(?:e\d+)?)\s*([kmg]?)", re.IGNORECASE)
_UNIT = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_EXAMPLES = {"pixels": "400M", "memory": "4G", "seconds": "300", "download": "1G"}


def unreadable(source: str, case: str, fix: str, *, fix_cli: str | None = None) -> ImageError:
    """The error for an image that can't be read."""
    return ImageError(f"Image '{source}' can't be read.", case, fix, fix_cli=fix_cli, file=source)


def beyond(limit: str, source: str, case: str) -> ImageError:
    """The error for an image that exceeds a limit."""
    fix, fix_cli = raise_advice(limit)
    return unreadable(source, case, fix, fix_cli=fix_cli)


def no_image(name: str, start: bytes) -> ImageError:
    """The error for bytes of no format that Pillow knows. start: the first 16."""
    if start[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        fix = "pip install pillow-heif, then call pillow_heif.register_heif_opener() once."
        return unreadable(name, "It is HEIF, which Pillow reads with a plugin only.", fix)
    if _is_video(start):
        fix = "Pass it to detect_video, as in model.detect_video(path)."
        return unreadable(name, "It is a video.", fix, fix_cli=f"Write: zoo video {name}")
    case = f"It is not an image that Pillow knows; it starts with {start!r}."
    return unreadable(name, case, "Convert it to JPEG or PNG, or leave it out.")


def _is_video(start: bytes) -> bool:
    """Whether it is MP4 or QuickTime (but not an image of that family), Matroska, WebM or AVI."""
    if start[4:8] == b"ftyp":
        return start[8:12] not in (b"avif", b"avis", b"mif1", b"msf1")
    return start[:4] == b"\x1aE\xdf\xa3" or (start[:4] == b"RIFF" and start[8:12] == b"AVI ")


def undecodable(name: str, error: Exception) -> Exception:
    """The error for an exception of Pillow; an error of the zoo stays as it is."""
    if isinstance(error, ZooError):
        return error
    if isinstance(error, PIL.Image.DecompressionBombError):
        return beyond(
            "pixels", name, f"It is too large to decode unasked. {str(error).rstrip('.')}."
        )
    if isinstance(error, MemoryError):
        return unreadable(name, "There is not enough memory to decode it.", MAKE_SMALLER)
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return unreadable(name, f"It is damaged or cut short: {reason:.300}.", COPY_AGAIN)


def raise_advice(name: str) -> tuple[str, str]:
    """Advice for a higher limit, in Python and in the shell."""
    example = _EXAMPLES[name]
    value = f"{limit_of(example, name):_}"
    keyword, variable = f"limits=zoo.images.Limits({name}={value})", IMAGE_LIMITS[name]
    advice = "If you trust it, raise the limit:"
    shell = f"{variable}={example}, or with zoo detect and zoo serve --limit {name}={example}"
    return f"{advice} {keyword}, or {variable}={example}", f"{advice} {shell}"


def limit_of(text: str, name: str, typed: str = "") -> float | int:
    """The number in a text such as `400M`. Raises: UsageError naming the option `typed`."""
    number = _NUMBER.fullmatch(text.strip())
    value = float(number[1]) * _UNIT[number[2].lower()] if number else 0.0
    if not 0 < value < 1e18:
        raise wrong_limit(f"{typed}={text:.80} was given.", name)
    return value if name == "seconds" else int(value)


def wrong_limit(failure: str, name: str) -> UsageError:
    """The error for a limit that is not a number above 0."""
    example = _EXAMPLES[name]
    case = f"The limit '{name}' is a number above 0."
    return UsageError(
        failure,
        case,
        f"Write for example --limit {name}={example}, or {IMAGE_LIMITS[name]}={example}",
    )
