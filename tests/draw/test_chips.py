"""Chips: name and score in a mask, cut where there is no room."""

import numpy as np
import pytest

from zoo.draw.chips import SCORE_INK, chip, fit_name


def test_a_chip_has_ink_within_its_padding() -> None:
    mask = chip("person", "0.90", size=20, most=500)
    pixels = np.asarray(mask)
    assert mask.mode == "L"
    assert pixels.max() == 255
    pad = round(20 * 0.42)
    assert not pixels[:, : pad - 1].any()
    assert not pixels[0].any()


def test_the_score_stands_back_behind_the_name() -> None:
    alone = chip("person", "", size=20, most=500)
    both = chip("person", "0.90", size=20, most=500)
    assert both.width > alone.width
    behind = np.asarray(both)[:, alone.width :]
    assert behind.max() == SCORE_INK


@pytest.mark.parametrize("most", [1, 20, 60, 120])
def test_no_chip_is_wider_than_there_is_room(most: int) -> None:
    assert chip("a very long name of a class", "0.50", size=20, most=most).width <= most


def test_a_name_is_cut_at_the_last_letter_that_fits() -> None:
    whole, _ = fit_name("person", size=20, room=500, font=None)
    assert whole == "person"
    cut, _ = fit_name("traffic light", size=20, room=60, font=None)
    assert cut.endswith("…")
    assert "traffic light".startswith(cut[:-1])
    wider, _ = fit_name("traffic light", size=20, room=90, font=None)
    assert len(wider) > len(cut)
    assert fit_name("traffic light", size=20, room=0, font=None)[0] == "…"


def test_a_blank_before_the_cut_goes() -> None:
    for room in range(40, 120):
        cut, _ = fit_name("a b c d e f g h i j", size=20, room=room, font=None)
        assert " …" not in cut
