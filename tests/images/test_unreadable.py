"""What is said of images that can't be read, and of limits that can't be."""

import PIL.Image
import pytest

from zoo.errors import ImageError, UsageError
from zoo.images import Limits
from zoo.images.unreadable import beyond, limit_of, no_image, raise_advice, undecodable, unreadable


def test_an_error_names_the_image_and_has_it_as_a_field() -> None:
    error = unreadable("a.png", "It is empty.", "Copy it again.")
    assert str(error).startswith("Image 'a.png' can't be read.\nIt is empty.")
    assert (error.case, error.fix, error.file) == ("It is empty.", "Copy it again.", "a.png")


@pytest.mark.parametrize("name", ["pixels", "memory", "seconds", "download"])
def test_the_advice_for_a_limit_can_be_typed_as_it_stands(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fix, fix_cli = raise_advice(name)
    assert beyond(name, "a.png", "It is large.").fix == fix
    higher = Limits().changed([fix_cli.rpartition(" ")[2]])
    assert getattr(higher, name) > (getattr(Limits(), name) or 0)
    variable, _, text = fix.rpartition(" ")[2].partition("=")
    monkeypatch.setenv(variable, text)
    assert Limits.in_force() == higher
    keyword = fix.partition("limits=zoo.images.Limits(")[2].partition(")")[0]
    assert float(keyword.partition("=")[2]) == getattr(higher, name)


def test_a_limit_is_whole_but_for_seconds() -> None:
    assert [limit_of("1.5k", "pixels"), limit_of("0.5", "seconds")] == [1500, 0.5]
    with pytest.raises(UsageError, match="'pixels' is a number above 0"):
        limit_of("0", "pixels")


def test_bytes_that_pillow_does_not_know_are_shown_and_heif_gets_its_plugin() -> None:
    assert "starts with b'%PDF'" in no_image("a", b"%PDF").case
    assert "pillow-heif" in no_image("a", b"\0\0\0\x18ftypheic\0\0").fix


@pytest.mark.parametrize(
    ("start", "is_video"),
    [
        (b"\0\0\0 ftypisom", True),
        (b"\0\0\0\x14ftypqt  ", True),
        (b"\x1aE\xdf\xa3\xa3B\x86\x81", True),
        (b"RIFF\0\0\0\0AVI LIST", True),
        (b"RIFF\0\0\0\0WAVEfmt ", False),
        (b"\0\0\0 ftypavif", False),
    ],
)
def test_a_clip_among_images_is_told_its_command(start: bytes, is_video: bool) -> None:
    error = no_image("clip.mp4", start)
    assert (error.case == "It is a video.") == is_video
    assert (error.fix_cli == "Write: zoo video clip.mp4") == is_video


@pytest.mark.parametrize(
    ("error", "case"),
    [
        (OSError("broken data stream"), "It is damaged or cut short: broken data stream."),
        (ValueError(), "It is damaged or cut short: ValueError."),
        (MemoryError(), "There is not enough memory to decode it."),
        (
            PIL.Image.DecompressionBombError("It is 9."),
            "It is too large to decode unasked. It is 9.",
        ),
    ],
)
def test_what_pillow_raises_is_put_into_words(error: Exception, case: str) -> None:
    raised = undecodable("a.png", error)
    assert isinstance(raised, ImageError)
    assert raised.case == case
    assert undecodable("a.png", raised) is raised
