"""Parts that no clip has are refused; what was lost is said; lengths are estimated."""

import math

import pytest

from zoo.errors import UsageError
from zoo.video.clip import Clip, Losses, Part


@pytest.mark.parametrize(
    "part",
    [
        {"every": 0},
        {"every": 1.5},
        {"every": True},
        {"start": -1.0},
        {"start": math.nan},
        {"start": 2.0, "end": 2.0},
        {"end": -1.0},
        {"start": "1:00"},
    ],
)
def test_a_part_that_no_clip_has_is_refused(part: dict) -> None:
    with pytest.raises(UsageError, match=r"can't be used\.\n.*\nWrite for example"):
        Part(**part)


def test_losses_are_said_with_their_numbers() -> None:
    losses = Losses()
    assert (str(losses), losses.damage) == ("", False)
    losses.add("late", 1200)
    assert (str(losses), losses.damage) == ("1,200 frames came too fast and were dropped.", False)
    losses.add("packets")
    losses.cut = "It ends after 5 of 9 frames."
    assert losses.damage
    assert str(losses) == (
        "1 packet is damaged or incomplete, 1,200 frames came too fast and were dropped. "
        "It ends after 5 of 9 frames."
    )


@pytest.mark.parametrize(
    ("part", "count"),
    [({}, 100), ({"every": 3}, 34), ({"start": 1.0}, 75), ({"start": 1.0, "end": 2.0}, 25)],
)
def test_the_number_of_frames_to_come_is_estimated(part: dict, count: int) -> None:
    clip = Clip(source="a.mp4", rate=25.0, frames=100, duration=4.0)
    assert clip.expected_frames(Part(**part)) == count
    assert Clip(source="0", rate=25.0, live=True).expected_frames(Part(**part)) is None
