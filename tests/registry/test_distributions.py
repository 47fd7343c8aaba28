"""Installed distributions: a damaged one is named with its reason, whoever's it is, and hides no
other."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zoo.registry.distributions import (
    UNKNOWN,
    Declared,
    damaged_distributions,
    declarations,
    distributions_by_package,
    owner_of,
)
from zoo.registry.plugins import complaints, find_plugins
from zoo.registry.registry_file import CORE, registry_file_of

Give = Callable[..., None]
GOOD = b"[detzoo]\nacme = detzoo_acme\n"
METADATA = b"Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n"
EMPTY = registry_file_of({"schema": 2}, Path("registry.yaml"), owner=CORE)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Puts a `.dist-info` folder with these bytes on the import path, beside the module of a plugin
    that has nothing."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "detzoo_acme.py").touch()
    monkeypatch.syspath_prepend(str(site))

    def install(
        folder: str = "acme-1.0.dist-info",
        *,
        entries: bytes | None = GOOD,
        metadata: bytes | None = METADATA,
    ) -> Path:
        path = site / folder
        path.mkdir()
        for name, content in (("entry_points.txt", entries), ("METADATA", metadata)):
            if content is not None:
                (path / name).write_bytes(content)
        importlib.invalidate_caches()
        return path

    yield install
    sys.modules.pop("detzoo_acme", None)


def found() -> Declared:
    [one] = [one for one in declarations("detzoo") if one.owner.name != "detzoo"]
    return one


def test_a_sound_distribution_declares_its_entry_points(install: Callable[..., Path]) -> None:
    install()
    one = found()
    assert one.entry is not None
    assert (one.entry.name, one.entry.value) == ("acme", "detzoo_acme")
    assert (one.owner.name, one.owner.version, one.owner.fault, one.fault) == (
        "acme",
        "1.0",
        "",
        "",
    )


UNREADABLE = {
    "bytes that are no UTF-8": (
        b"[foo]\nbar = \xff\n",
        "Its entry_points.txt can't be read: byte 12 is not UTF-8.",
    ),
    "a line that means nothing": (
        b"[console_scripts]\nacme\n[detzoo]\nacme = detzoo_acme\n",
        "Its entry_points.txt is not valid: line 2 is neither '[group]' nor 'name = module'.",
    ),
    "a heading that is cut off": (
        b"[detzoo\nacme = detzoo_acme\n\n[detzoo]\nacme = detzoo_acme\nmore",
        "Its entry_points.txt is not valid: line 1 is neither '[group]' nor 'name = module'.",
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_entry_points_that_can_not_be_read_name_their_distribution(
    install: Callable[..., Path], kind: str
) -> None:
    content, fault = UNREADABLE[kind]
    install(entries=content)
    assert (found().entry, found().fault) == (None, fault)
    assert [one.fault for one in damaged_distributions()] == [fault]
    *rest, last = find_plugins(EMPTY)
    assert {plugin.info.status for plugin in rest} == {"loaded"}
    assert list(complaints([last])) == [
        f"Skipped plugin 'acme' of acme 1.0 (entry_points.txt): {fault}"
    ]


def test_a_file_that_may_not_be_read_is_named(install: Callable[..., Path]) -> None:
    place = install(entries=None)
    (place / "entry_points.txt").symlink_to(
        "entry_points.txt"
    )  # as unreadable, for the superuser too
    assert "can't be read" in found().fault


DAMAGED = {
    "no name": (b"Metadata-Version: 2.1\nVersion: 1.0\n", "Its METADATA has no Name."),
    "no version": (b"Metadata-Version: 2.1\nName: acme\n", "Its METADATA has no Version."),
    "no metadata": (None, "Its METADATA has no Name and no Version."),
    "bytes that are no UTF-8": (
        b"Name: \xff\n",
        "Its METADATA can't be read: byte 6 is not UTF-8.",
    ),
    "a image": (b"\x89PNG\r\n\x1a\n\x00", "Its METADATA can't be read: byte 0 is not UTF-8."),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_plugin_whose_metadata_is_damaged_is_called_as_its_folder(
    install: Callable[..., Path], kind: str
) -> None:
    content, fault = DAMAGED[kind]
    install(metadata=content)
    [plugin] = [one for one in find_plugins(EMPTY) if one.info.name == "acme"]
    assert (plugin.info.distribution, plugin.info.version) == ("acme", "1.0")
    assert (plugin.info.status, plugin.info.reason) == ("quarantined", fault)


def test_damaged_metadata_of_others_is_nobodys_concern(install: Callable[..., Path]) -> None:
    install("other-2.0.dist-info", entries=None, metadata=b"\xff")
    install("nameless.dist-info", entries=b"[console_scripts]\nx = y\n", metadata=None)
    assert {one.owner.name for one in declarations("detzoo")} == {"detzoo"}
    assert damaged_distributions() == []


def test_a_folder_without_a_version_has_an_unknown_one(install: Callable[..., Path]) -> None:
    install("acme.dist-info", metadata=None)
    assert (found().owner.name, found().owner.version) == ("acme", UNKNOWN)


@pytest.mark.parametrize("value", ["not a module!", "", ":build", "a b"])
def test_an_entry_point_that_names_no_module_is_quarantined(
    install: Callable[..., Path], value: str
) -> None:
    install(entries=f"[detzoo]\nacme = {value}\n".encode())
    [plugin] = [one for one in find_plugins(EMPTY) if one.info.name == "acme"]
    assert (plugin.info.status, plugin.info.distribution) == ("quarantined", "acme")
    assert "names no module" in plugin.info.reason


def test_a_name_of_several_lines_is_one_line(install: Callable[..., Path]) -> None:
    install(metadata=b"Name: acme\n  forged: line\nVersion: 1.0\n")
    assert "\n" not in found().owner.name


def test_two_versions_in_one_folder_are_both_named_and_the_newer_counts(
    install: Callable[..., Path],
) -> None:
    install("acme-1.0.dist-info")
    install("acme-1.10.dist-info", metadata=METADATA.replace(b"1.0", b"1.10"))
    install("acme-1.9.dist-info", metadata=None)
    [plugin] = [one for one in find_plugins(EMPTY) if one.info.name == "acme"]
    assert (plugin.info.version, plugin.info.status) == ("1.10", "loaded")
    text = next(complaints([plugin]))
    assert "acme 1.10" in text
    assert (
        "installed twice in one folder, also as version 1.0, 1.9: pip install --force-reinstall "
        "acme" in text
    )


def test_a_version_in_a_folder_further_along_the_path_is_hidden(
    install: Callable[..., Path], tmp_path: Path
) -> None:
    install()
    behind = tmp_path / "behind" / "acme-2.0.dist-info"
    behind.mkdir(parents=True)
    (behind / "METADATA").write_bytes(METADATA.replace(b"1.0", b"2.0"))
    (behind / "entry_points.txt").write_bytes(GOOD)
    sys.path.append(str(behind.parent))
    try:
        assert (found().owner.version, found().remark) == ("1.0", "")
    finally:
        sys.path.remove(str(behind.parent))


def test_the_owner_of_a_package_is_found_beside_damaged_distributions(
    install: Callable[..., Path],
) -> None:
    place = install("aaa-1.0.dist-info", entries=None, metadata=b"\xff")
    (place / "RECORD").write_bytes(b"\xff")
    owner = owner_of("pluggy")
    assert owner is not None
    assert owner.name == "pluggy"
    assert owner_of("not_there_at_all") is None
    packages = distributions_by_package()
    assert packages["pluggy"] == ["pluggy"]
    assert "torch" in packages["torch"]


@pytest.mark.parametrize(
    "words", [["list", "yolox_nano"], ["plugins"], ["show", "yolox_nano"], ["compose", "--help"]]
)
def test_every_command_works_beside_a_damaged_distribution(
    install: Callable[..., Path], words: list[str]
) -> None:
    site = install(entries=b"\xff").parent
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *words], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"acme( 1\.0|: Its)", done.stdout + done.stderr)
    assert "Traceback" not in done.stderr


def test_torch_is_imported_beside_a_damaged_distribution(install: Callable[..., Path]) -> None:
    site = install(entries=b"[console_scripts]\ngarbage\n").parent
    words = ["compose", "--backbone", "yolox/no_such_part", "--head", "retinanet", "--labels", "a"]
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *words], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    assert "acme 1.0 is damaged: Its entry_points.txt is not valid: line 2" in done.stderr


def test_escape_codes_in_the_metadata_of_strangers_command_no_terminal(
    install: Callable[..., Path],
) -> None:
    install(
        metadata=b"Name: ac\x1b[31mme\nVersion: 1.0\x1b]0;forged\x07\n",
        entries=b"[detzoo]\nac\x1b[31mme = detzoo_acme\n",
    )
    [plugin] = [one for one in find_plugins(EMPTY) if one.info.distribution != "detzoo"]
    [text] = complaints([plugin])
    assert "ac\\x1b[31mme" in text
    assert text.isprintable()
