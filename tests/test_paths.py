"""Paths that somebody else wrote stay in their folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.paths import OutsideFolder, check_relative, inside, is_inside

OUT = [
    "..",
    "../a",
    "a/../../b",
    "a/..",
    "/etc/hostname",
    "//host/share",
    "C:/a",
    "c:a",
    "a\\b",
    "\\\\host\\a",
]
ODD = ["", " ", "a\0b", "a\nb", "\x1b[31m", "a\x7f"]


@pytest.mark.parametrize("name", [*OUT, *ODD])
def test_what_is_no_relative_path_is_refused_and_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutsideFolder) as error:
        inside(tmp_path, name)
    assert not set("\0\n\x1b\x7f") & set(str(error.value))


@pytest.mark.parametrize(
    "name", ["a", "a/b.pth", "./a", "a//b", "..a", "a..b/c", ".hidden", "a b", "ä/é.jpg", "~a"]
)
def test_paths_in_the_folder_are_taken(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == tmp_path / name


def test_a_link_may_lead_about_in_the_folder_and_not_out_of_it(tmp_path: Path) -> None:
    folder, secret = tmp_path / "folder", tmp_path / "secret"
    (folder / "below").mkdir(parents=True)
    secret.touch()
    (folder / "near").symlink_to("below")
    (folder / "out").symlink_to(secret)
    (folder / "up").symlink_to("..")
    (folder / "round").symlink_to("round")
    assert inside(folder, "near/file") == folder / "near" / "file"
    for name in ("out", "up/secret", "round", "round/a"):
        with pytest.raises(OutsideFolder, match="link"):
            inside(folder, name)


def test_a_folder_that_is_a_link_itself_is_a_folder_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert inside(tmp_path / "link", "a") == tmp_path / "link" / "a"


@given(st.text(max_size=30))
def test_a_path_that_is_taken_is_in_the_folder(name: str) -> None:
    folder = Path("/nowhere/at/all")
    try:
        path = inside(folder, name)
    except OutsideFolder:
        return
    assert is_inside(path, folder)


def test_a_message_is_short_however_long_the_path_is() -> None:
    with pytest.raises(OutsideFolder) as error:
        check_relative("../" + "a" * 1_000_000)
    assert len(str(error.value)) < 150


def test_no_other_module_expands_a_home_folder_by_pathlib() -> None:
    """It raises a RuntimeError for a user that there is not."""
    modules = (Path(__file__).parent.parent / "zoo").rglob("*.py")
    users = [path.name for path in modules if ".expanduser()" in path.read_text("utf-8")]
    assert users == []
