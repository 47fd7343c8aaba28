"""A plugin's own format of data sets, by `NAME:PATH[,OPTION=VALUE…]`."""

from pathlib import Path

import pytest

from zoo.data import read
from zoo.errors import DataError

PLUGIN = """
    import zoo
    from zoo.data import Dataset, GroundTruth, ImageRecord

    def build(path, *, classes):
        boxes = {"image": ["a"], "label": [1], "box": [[0, 0, 1, 1]]}
        truth = GroundTruth.of(["a"], boxes, label_space=classes.split())
        return Dataset(path.stem, (ImageRecord("a", path.parent / "a.png"),), truth)

    @zoo.hookimpl
    def register_datasets(register):
        register("lines", build)
        register("wrong", lambda path: 5)
"""


def test_a_plugin_can_bring_a_format_of_its_own(tmp_path: Path, give_plugin) -> None:
    give_plugin("lines", PLUGIN)
    data = read(f"lines:{tmp_path / 'boxes.txt'},classes=cat dog")
    assert (data.name, len(data), data.label_space.names) == ("boxes", 1, ("cat", "dog"))
    with pytest.raises(DataError, match="returned an int"):
        read("wrong:here")
