"""Image files as careless annotations name them."""

from pathlib import Path

import pytest
from PIL import Image

from zoo.data.image_files import ImageFolder, read_header, slashes, upright_sizes, walk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.JPG", "x/b.png", "y/b.png", "y/Ä c.jpeg", ".hidden/d.jpg", "y/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "near", "found"),
    [
        ("a.jpg", "", "a.JPG"),
        ("b.png", "", None),
        ("b.png", "x", "x/b.png"),
        (r"D:\shots\y\B.PNG", "", "y/b.png"),
        ("/home/me/Ä c.jpeg", "", "y/Ä c.jpeg"),
        ("../../a.JPG", "", "a.JPG"),
        ("gone.jpg", "", None),
        ("", "", None),
    ],
)
def test_a_name_is_looked_for_as_it_was_meant(
    folder: Path, name: str, near: str, found: str | None
) -> None:
    assert ImageFolder(folder).find(name, near=near) == found


def test_hidden_files_and_others_are_left_out(folder: Path) -> None:
    images = ImageFolder(folder)
    assert images.files == ["a.JPG", "x/b.png", "y/b.png", "y/Ä c.jpeg"]
    assert images.with_stem("A") == ["a.JPG"]
    assert walk(folder, (".txt",)) == ["y/notes.txt"]
    assert slashes(r"C:\..\a\.\b") == "a/b"


def test_sizes_are_of_the_upright_image_and_0_of_what_is_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (4, 3)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (4, 3)).save(tmp_path / "b.png")
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8\xff")
    paths = [tmp_path / name for name in ("a.jpg", "b.png", "c.jpg", "gone.jpg")]
    assert upright_sizes(paths).tolist() == [[3, 4], [4, 3], [0, 0], [0, 0]]
    assert read_header(paths[0]) == (4, 3, 8)
    assert upright_sizes([]).shape == (0, 2)
