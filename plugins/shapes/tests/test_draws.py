"""Random numbers that are the same everywhere, and fair."""

from collections import Counter

import pytest
from detzoo_shapes.draws import BLOCK, Draws


def test_the_numbers_of_a_key_are_these_on_every_machine() -> None:
    draws = Draws(0, 1, 2)
    assert [draws.integer(1000) for _ in range(6)] == [980, 439, 859, 30, 321, 915]
    assert draws.uniform().hex() == "0x1.4bf2af4da7e1ap-1"


def test_another_key_gives_other_numbers() -> None:
    rows = {tuple(Draws(*key).integer(10**6) for _ in range(1)) for key in [(0, 0), (0, 1), (1, 0)]}
    assert len(rows) == 3


def test_they_go_on_beyond_a_block() -> None:
    draws = Draws(3)
    values = [draws.integer(10**9) for _ in range(3 * BLOCK)]
    assert len(set(values)) > 3 * BLOCK - 5


def test_a_direction_is_a_point_of_the_unit_circle_in_every_octant() -> None:
    draws = Draws(1)
    found = [draws.direction() for _ in range(400)]
    for cosine, sine in found:
        assert cosine * cosine + sine * sine == pytest.approx(1, abs=1e-15)
    octants = Counter((c > 0, s > 0, abs(c) > abs(s)) for c, s in found)
    assert len(octants) == 8
    assert min(octants.values()) > 25


def test_weights_are_how_often_a_position_is_drawn() -> None:
    draws = Draws(2)
    counts = Counter(draws.weighted((1, 0, 3)) for _ in range(2000))
    assert set(counts) == {0, 2}
    assert counts[2] / counts[0] == pytest.approx(3, rel=0.25)
    with pytest.raises(ValueError, match="above 0"):
        draws.weighted((0,))


def test_a_choice_and_a_chance_are_fair() -> None:
    draws = Draws(4)
    assert set(draws.choice("abc") for _ in range(60)) == set("abc")
    assert sum(draws.chance(0.25) for _ in range(2000)) == pytest.approx(500, rel=0.2)
    assert all(-2 <= draws.uniform(-2, 3) < 3 for _ in range(200))
