"""Tables of boxes as data sets."""

from pathlib import Path

import pytest
from PIL import Image

from zoo.data import read
from zoo.errors import DataError


def table(folder: Path, text: str, name: str = "a.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_rows_may_come_in_any_order_and_images_without_boxes_stay(tmp_path: Path) -> None:
    text = (
        "ymax,xmin,class,image,xmax,ymin,split,night\n"
        "4,1,dog,b.jpg,3,2,val,True\n,,,c.jpg,,,train,\n9,8,cat,a.jpg,9.5,8,train|night,False\n"
        "2,1,cat,b.jpg,2,1,val,True\n"
    )
    data = read(table(tmp_path, text))
    assert data.label_space.names == ("cat", "dog")
    assert data.truth.boxes.tolist() == [[8, 8, 9.5, 9], [1, 1, 2, 2], [1, 2, 3, 4]]
    assert {name: rows.tolist() for name, rows in data.split_rows.items()} == {
        "train": [0, 2],
        "val": [1],
        "night": [0],
    }
    assert data.truth.box_attributes["night"].tolist() == [False, True, True]
    assert len(read(f"csv:{tmp_path / 'a.csv'},split=val")) == 1


def test_a_file_without_header_has_its_columns_named(tmp_path: Path) -> None:
    path = table(tmp_path, "a.jpg,1,2,3,4,cat\n")
    data = read(f"csv:{path},columns=image xmin ymin xmax ymax label")
    assert data.truth.boxes.tolist() == [[1, 2, 3, 4]]


def test_fractions_are_of_the_image(tmp_path: Path) -> None:
    path = table(tmp_path / "notes", "ImageID,LabelName,XMin,XMax,YMin,YMax\na.jpg,cat,0,.5,0,1\n")
    with pytest.raises(DataError, match=r"size of 'a\.jpg' is not known"):
        read(f"csv:{path},fractions=true")
    Image.new("RGB", (40, 20)).save(tmp_path / "notes" / "a.jpg")
    assert read(f"csv:{path},fractions=true").truth.boxes.tolist() == [[0, 0, 20, 20]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.jpg,cat,1,2,,4", "has a part of a box"),
        ("a.jpg,cat,1,2,x,4", "is 'x', not a number"),
        ("a.jpg,cat,3,2,1,4", "ends before it begins"),
        ("a.jpg,,1,2,3,4", "not a name"),
        ("a.jpg,,,,,", "nothing says what the classes are"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = table(tmp_path, f"image,label,xmin,ymin,xmax,ymax\n{row}\n")
    with pytest.raises(DataError, match=message):
        read(path)


def test_a_folder_has_one_table(tmp_path: Path) -> None:
    text = "image,label,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\n"
    table(tmp_path, text)
    assert len(read(tmp_path)) == 1
    table(tmp_path, text, "b.csv")
    with pytest.raises(DataError, match="It has 2 CSV files"):
        read(f"csv:{tmp_path}")
    with pytest.raises(DataError, match="Nothing in it says its format"):
        read(tmp_path)


def test_a_real_table_agrees_with_its_xml(shared: Path) -> None:
    home = shared / "bccd_voc"
    data = read(f"csv:{home / 'test.csv'},label=cell_type,images={home / 'BCCD' / 'JPEGImages'}")
    cells = read(f"voc:{home / 'BCCD'}")
    assert len(data.truth.labels) == len(cells.truth.labels) == 4888
    assert data.label_space.names == cells.label_space.names
    assert all(record.path.is_file() for record in data.images)
    assert (data.truth.labels == cells.truth.labels).all()
