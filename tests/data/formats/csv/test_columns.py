"""Columns by the names that tools give them."""

import pytest

from zoo.data.formats.csv.columns import attributes, meanings
from zoo.data.formats.csv.options import CsvOptions
from zoo.errors import DataError


@pytest.mark.parametrize(
    "header",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax",  # TensorFlow
        "filename,class,xmin,xmax,ymin,ymax",  # in another order
        "image_path,x1,y1,x2,y2,label",
        "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf",  # Open Images
        "image_name,label,bbox_x,bbox_y,bbox_width,bbox_height",
        "image,class,x,y,width,height",
    ],
)
def test_usual_names_are_known(header: str) -> None:
    names = header.split(",")
    at = meanings(names, CsvOptions(), "a.csv")
    sides = ("x", "y", "w", "h") if "x" in at else ("xmin", "ymin", "xmax", "ymax")
    assert {"image", "label", *sides} <= set(at)
    assert len(set(at.values())) == len(at)
    assert attributes(names, at) == {}


def test_a_column_may_be_named_and_a_missing_one_says_how() -> None:
    names = ["filename", "cell_type", "xmin", "xmax", "ymin", "ymax"]
    with pytest.raises(DataError, match=r"csv:a\.csv,label=cell_type"):
        meanings(names, CsvOptions(), "a.csv")
    assert meanings(names, CsvOptions(label="cell_type"), "a.csv")["label"] == 1
    with pytest.raises(DataError, match="Did you mean label=cell_type"):
        meanings(names, CsvOptions(label="celltype"), "a.csv")
    with pytest.raises(DataError, match="columns=image label xmin"):
        meanings(["a.jpg", "1", "2"], CsvOptions(), "a.csv")
