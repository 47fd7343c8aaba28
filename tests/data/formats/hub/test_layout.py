"""Splits and configurations, as names of files and READMEs say them."""

from pathlib import Path

import pytest

from zoo.data.formats.hub.layout import layout_of, matches, split_of
from zoo.data.formats.hub.readme import readme_of
from zoo.data.formats.hub.repository import RepositoryFiles, folder_files
from zoo.errors import DataError, NameNotFound


def files_of(folder: Path, *names: str, readme: str = "") -> RepositoryFiles:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    if readme:
        (folder / "README.md").write_text(f"---\n{readme}\n---\n# Title\n")
    return folder_files(folder)


def splits(
    files: RepositoryFiles, config: str | None = None, split: str | None = None
) -> dict[str, object]:
    return dict(layout_of(files, readme_of(files), config=config, split=split).splits)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("default/my_split-00001-of-00002.parquet", "my_split"),
        ("data/validation-00000-of-00001-2db2c4.parquet", "validation"),
        ("train/0001.jpg", "train"),
        ("images/valid/0001.jpg", "validation"),
        ("dev.parquet", "validation"),
        ("my-test_file.parquet", "test"),
        ("contest/latest.jpg", ""),
        ("0000.parquet", ""),
    ],
)
def test_the_split_of_a_name(name: str, split: str) -> None:
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("data/train-*", "data/train-00000-of-00001.parquet", True),
        ("data/*", "data/more/a.parquet", False),
        ("data/**", "data/more/a.parquet", True),
        ("**/train*", "train.parquet", True),
        ("a[0-9].jpg", "a7.jpg", True),
        ("a?.jpg", "a/.jpg", False),
        ("a+(b).jpg", "a+(b).jpg", True),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert matches(name, pattern) is fits


def test_a_readme_says_splits_and_configurations(tmp_path: Path) -> None:
    readme = """configs:
- config_name: small
  default: true
  data_files:
  - split: train
    path: small/a-*.parquet
  - split: held_out
    path: [small/b.parquet]
- config_name: large
  data_dir: large"""
    names = ("small/a-1.parquet", "small/b.parquet", "large/test/x.parquet", "other.parquet")
    files = files_of(tmp_path, *names, readme=readme)
    assert splits(files) == {"train": (names[0],), "held_out": (names[1],)}
    assert splits(files, config="large") == {"test": (names[2],)}
    assert splits(files, split="held_out") == {"held_out": (names[1],)}
    with pytest.raises(NameNotFound, match=r"No split named 'helt_out'(.|\n)*mean 'held_out'"):
        splits(files, split="helt_out")


def test_several_configurations_have_to_be_named(tmp_path: Path) -> None:
    names = ("one/train/0000.parquet", "two/train/0000.parquet", "two/partial-test/0000.parquet")
    files = files_of(tmp_path, *names)
    with pytest.raises(DataError, match=r"2 configurations: one, two(.|\n)*,config=one"):
        splits(files)
    assert splits(files, config="two") == {"train": (names[1],), "test": (names[2],)}


def test_without_a_split_the_hub_calls_all_of_it_train(tmp_path: Path) -> None:
    files = files_of(tmp_path, "0.parquet", "1.parquet")
    assert splits(files) == {"": ("0.parquet", "1.parquet")}
    assert splits(files, split="train") == {"train": ("0.parquet", "1.parquet")}


def test_other_kinds_of_files_are_named(tmp_path: Path) -> None:
    files = files_of(tmp_path, "scenes.py", "images.zip")
    with pytest.raises(DataError, match=r"no Parquet file(.|\n)*2 files are .py, .zip"):
        splits(files)


def test_a_readme_that_is_not_understood_is_noted(tmp_path: Path) -> None:
    files = files_of(tmp_path, "train.parquet", readme="configs: [a: b: c")
    assert "README.md is not understood" in readme_of(files).notes[0]
    assert splits(files) == {"train": ("train.parquet",)}
