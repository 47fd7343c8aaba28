"""Data that is not where it was said to be."""

from pathlib import Path

import pytest

from zoo.data import check, read
from zoo.errors import DataError


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("coco:{0}/cels/site.json", "'{0}/cels/site.json' does not exist: there is no '{0}/cels'."),
        ("{0}/cels", "Did you mean '{0}/cells'?"),
        ("voc:{0}/cels", "Did you mean 'voc:{0}/cells'?"),
        ("{0}/cels/site.json", "Did you mean '{0}/cells/site.json'?"),
        ("{0}/cells/sites.json", "Did you mean '{0}/cells/site.json'?"),
        ("{0}/other", "'{0}/other' does not exist.\nCheck the path."),
        ("csv:{0}/other.csv", "'{0}/other.csv' does not exist.\nCheck the path."),
        ("{0}/cells/site.json/more.json", "'{0}/cells/site.json/more.json' does not exist."),
    ],
)
def test_it_is_said_to_be_missing_with_the_near_names(
    tmp_path: Path, written: str, message: str
) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "site.json").write_text("{}")
    for reading in (read, check):
        with pytest.raises(DataError) as raised:
            reading(written.format(tmp_path))
        assert message.format(tmp_path) in str(raised.value)
        assert "format" not in str(raised.value)
