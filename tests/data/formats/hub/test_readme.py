"""Headers of READMEs, as people and the Hub's own tools write them."""

from pathlib import Path
from typing import Any

import pytest

from zoo.data.formats.hub.readme import BY_NAME, Readme, class_names, readme_of
from zoo.data.formats.hub.repository import folder_files


def readme(folder: Path, header: str | bytes, around: bytes = b"---\n%s\n---\n# Title\n") -> Readme:
    text = header.encode() if isinstance(header, str) else header
    (folder / "README.md").write_bytes(around % text)
    return readme_of(folder_files(folder))


@pytest.mark.parametrize(
    "around",
    [
        b"---\n%s\n---\n",
        b"---\r\n%s\r\n---\r\n# T",
        b"\xef\xbb\xbf---  \n%s\n--- \n",
        b"---\n%s\n---",
    ],
)
def test_a_header_is_found_whatever_wrote_it(tmp_path: Path, around: bytes) -> None:
    found = readme(tmp_path, "configs:\n- config_name: a\n  data_dir: b", around)
    assert found == Readme({"a": {BY_NAME: ["b/**"]}}, "a", {})


@pytest.mark.parametrize(
    "content", [b"", b"# Title\n", b"---\nno end\n", b"text\n---\na: b\n---\n"]
)
def test_a_page_without_a_header_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "README.md").write_bytes(content)
    assert readme_of(folder_files(tmp_path)) == Readme()


@pytest.mark.parametrize("header", ["- a list", "a: &x [1]\nb: *x", "a: 1\na: 2", b"a: \xff\xfe"])
def test_a_header_that_is_not_understood_is_said_and_not_more(
    tmp_path: Path, header: str | bytes
) -> None:
    found = readme(tmp_path, header)
    assert found.configs == {}
    if header != "- a list":
        assert found.notes[0].startswith("The header of its README.md is not understood: ")


@pytest.mark.parametrize(
    ("written", "splits"),
    [
        ("data_files: a/*.jpg", {"": ["a/*.jpg"]}),
        ("data_files: [./a, b]", {"": ["a", "b"]}),
        ("data_files: {train: a, test: [b, c]}", {"train": ["a"], "test": ["b", "c"]}),
        (
            "data_files:\n  - split: train\n    path: [a, b]\n  - split: train\n    path: c",
            {"train": ["a", "b", "c"]},
        ),
        ("data_dir: /d/\n  data_files: {dev: a}", {"dev": ["d/a"]}),
        ("data_dir: .", {BY_NAME: ["**"]}),
        ("description: nothing", {BY_NAME: ["**"]}),
    ],
)
def test_files_of_splits(tmp_path: Path, written: str, splits: dict[str, list[str]]) -> None:
    found = readme(tmp_path, f"configs:\n- config_name: c\n  {written}")
    assert found.configs == {"c": splits}


def test_the_configuration_that_is_meant(tmp_path: Path) -> None:
    several = "configs:\n- config_name: a\n- config_name: {}\n"
    assert readme(tmp_path, several.format("default")).first == "default"
    assert readme(tmp_path, several.format("b\n  default: true")).first == "b"
    assert readme(tmp_path, several.format("b")).first == ""
    assert readme(tmp_path, "configs: {config_name: one}").first == "one"
    assert readme(tmp_path, "box_format: xyxy").box_format == "xyxy"


NAMES = {"'0'": "coverall", "'1'": "face shield", "'10'": "mask", "'2'": "gloves"}
OF_NUMBERS = "names:\n" + "".join(f"{' ' * 14}{key}: {name}\n" for key, name in NAMES.items())
IN_ORDER = ("coverall", "face shield", "gloves", "mask")


@pytest.mark.parametrize(
    "features",
    [
        # a list of structs, and a struct of lists, as several versions of `datasets` write them
        "- name: objects\n      sequence:\n      - name: category\n        dtype:\n"
        f"          class_label:\n            {OF_NUMBERS}",
        "- name: objects\n      list:\n      - name: category\n        dtype:\n"
        f"          class_label:\n            {OF_NUMBERS}",
        "- name: objects\n      struct:\n      - name: category\n        list:\n"
        f"          class_label:\n            {OF_NUMBERS}",
        "- name: objects\n      struct:\n      - name: category\n        sequence:\n"
        "          class_label:\n            names: [coverall, face shield, gloves, mask]",
    ],
)
def test_names_of_classes(tmp_path: Path, features: str) -> None:
    other = (
        "- name: label\n      dtype:\n        class_label:\n          names: [indoor, outdoor]\n"
    )
    found = readme(tmp_path, f"dataset_info:\n  features:\n    {other}    {features}")
    info = found.info["default"]
    assert class_names(info, ("objects", "category")) == IN_ORDER
    assert class_names(info, ("label",)) == ("indoor", "outdoor")
    assert class_names(info, ("objects", "other")) == ()


def test_names_of_classes_by_configuration(tmp_path: Path) -> None:
    label = "features: [{{name: label, dtype: {{class_label: {{names: [{}]}}}}}}]"
    infos = "".join(f"- config_name: {key}\n  {label.format(key * 2)}\n" for key in "ab")
    found = readme(tmp_path, f"dataset_info:\n{infos}")
    assert class_names(found.info["a"], ("label",)) == ("aa",)
    assert class_names(found.info["b"], ("label",)) == ("bb",)


def test_names_as_a_parquet_file_has_them_and_what_is_no_list_of_names() -> None:
    label = {"names": ["a", "b"], "_type": "ClassLabel"}
    column = {"feature": {"category": {"feature": label}}, "_type": "Sequence"}
    assert class_names({"objects": column}, ("objects", "category")) == ("a", "b")
    for wrong in (None, {}, [], {"objects": "text"}, {"objects": {"category": {"names": ["a"]}}}):
        assert class_names(wrong, ("objects", "category")) == ()
    deep: Any = {"objects": {}}
    for _ in range(2000):
        deep = {"objects": deep}
    assert class_names(deep, ("objects", "category")) == ()
