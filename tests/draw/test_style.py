"""Lines and letters are finer in a crowd, and as large as was asked."""

import pytest

from zoo.draw.style import Style, style_for
from zoo.errors import UsageError


def test_a_crowd_is_drawn_finer() -> None:
    few, many = style_for(480, 640, count=10), style_for(480, 640, count=150)
    assert many.line < few.line
    assert many.text <= few.text


def test_sizes_that_were_asked_for_are_whole_pixels() -> None:
    assert style_for(480, 640, count=1, line=0.2, text=20.4) == Style(line=1, text=20)


@pytest.mark.parametrize("size", [float("nan"), float("inf"), -3, 0, "2", True, 1e6], ids=str)
@pytest.mark.parametrize("name", ["line", "text"])
def test_a_size_that_is_none_is_refused(name: str, size: object) -> None:
    with pytest.raises(
        UsageError, match=rf"^{name}=.*\nIt is a number of pixels, above 0"
    ) as caught:
        style_for(480, 640, count=1, **{name: size})  # type: ignore[arg-type]
    assert caught.value.fix
