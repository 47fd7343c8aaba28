"""Losses of reading an image as 8-bit RGB: further frames, finer shades, transparency."""

from __future__ import annotations

import PIL.Image

from zoo.images.depth import bits_of
from zoo.images.image import Loss

_THUMBNAIL = "Large Thumbnail"  # as MPO names what is not an image of its own
_GAIN_MAPS = ("hdrgm", "hdrgainmap")
_PAGES = ("TIFF", "MPO")


def of_file(image: PIL.Image.Image) -> tuple[Loss, ...]:
    """Losses of reading the first frame of an image as 8-bit RGB, of one that is open and not
    loaded yet."""
    losses = []
    count = frames_of(image)
    if count != 1:
        losses.append(_frames(image, count))
    if (bits := bits_of(image)) > 8:
        losses.append(
            Loss("bits", f"It has {bits} bits a channel, and the network sees 8 of them.")
        )
    return tuple(losses)


def of_pixels(image: PIL.Image.Image) -> tuple[Loss, ...]:
    """Losses of dropping the transparency of an image that is loaded."""
    if not _see_through(image):
        return ()
    case = "It is transparent in places, and the colours stored there are what the network sees."
    return (Loss("transparency", case),)


def of_dark(brightest: float, white: float) -> tuple[Loss, ...]:
    """The note on a deep image that uses less than half of its range, as 12 bits do that are
    stored in 16."""
    if not 0 < brightest < white / 2:
        return ()
    case = (
        f"Its brightest value is {brightest:,g} of {white:,g}, so that it comes out dark: scale "
        f"it to 8 bits yourself."
    )
    return (Loss("range", case),)


def frames_of(image: PIL.Image.Image) -> int:
    """How many frames or pages the file holds, thumbnails and gain maps not counted; 0 is an
    unknown number of several."""
    try:
        if not getattr(image, "is_animated", False):
            return 1
        count = int(image.n_frames)  # type: ignore[attr-defined]  # of formats with frames alone
    except Exception:  # what follows the first frame is damaged, but it is there
        return 0
    return _mpo_frames(image, count) if image.format == "MPO" else count


def _frames(image: PIL.Image.Image, count: int) -> Loss:
    noun = "pages" if image.format in _PAGES else "frames"
    if not count:
        return Loss("frames", f"It has several {noun}, and only the first is read.")
    return Loss("frames", f"It has {count:,} {noun}, and only the first is read.")


def _mpo_frames(image: PIL.Image.Image, count: int) -> int:
    """Without those that show the first one again: previews, and the gain maps of high dynamic
    range."""
    xmp = image.info.get("xmp", b"")
    if any(name in bytes(xmp).lower() for name in (word.encode() for word in _GAIN_MAPS)):
        return 1
    entries = getattr(image, "mpinfo", {}).get(0xB002, [])
    previews = sum(
        _THUMBNAIL in str(entry.get("Attribute", {}).get("MPType", "")) for entry in entries
    )
    return max(1, count - previews)


def _see_through(image: PIL.Image.Image) -> bool:
    if "A" in image.getbands() or "a" in image.getbands():
        return bool(image.getchannel(image.getbands()[-1]).getextrema()[0] < 255)  # type: ignore[operator]
    clear = image.info.get("transparency")
    if image.mode != "P" or clear is None:
        return False
    alphas = {clear: 0} if isinstance(clear, int) else dict(enumerate(clear))
    used = image.histogram()
    return any(alpha < 255 and index < len(used) and used[index] for index, alpha in alphas.items())
