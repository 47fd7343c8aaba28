"""Colours of scenes."""

from detzoo_shapes.palettes import PALETTES


def test_palettes_have_a_name_of_their_own_and_seven_different_papers() -> None:
    assert len({palette.name for palette in PALETTES}) == len(PALETTES)
    for palette in PALETTES:
        assert len(set(palette.papers)) == 7


def test_a_paper_can_be_told_from_the_ground() -> None:
    for palette in PALETTES:
        for paper in palette.papers:
            for tone in palette.ground:
                assert sum(abs(a - b) for a, b in zip(paper, tone, strict=True)) > 40
