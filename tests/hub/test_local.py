"""Files that are here already: beside a registry file, or inside an installed package."""

import sys
from pathlib import Path

import pytest

import zoo.hub
from zoo.errors import SourceError
from zoo.hub.local import from_file, from_package
from zoo.registry.card import FileSource, PackageSource, Weights


@pytest.fixture
def package(tmp_path: Path, weights: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package with weights in it."""
    (tmp_path / "toy_weights").mkdir()
    (tmp_path / "toy_weights" / "__init__.py").touch()
    (tmp_path / "toy_weights" / "net.safetensors").write_bytes(weights)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_weights", raising=False)
    return "toy_weights"


def test_weights_can_come_with_a_package(package: str, weights: bytes, sha256, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    source = PackageSource(package=package, file="net.safetensors", sha256=sha256(weights))
    fetched = zoo.hub.fetch(Weights(sources=[source]), name="a/net")
    assert fetched.path.read_bytes() == weights
    assert fetched.source == "package:toy_weights/net.safetensors"


def test_a_package_without_the_file_is_named(package: str) -> None:
    with pytest.raises(SourceError, match=r"none\.safetensors(.|\n)*no such file"):
        from_package(PackageSource(package=package, file="none.safetensors")).find()


def test_a_package_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(SourceError, match="pip install detzoo-none"):
        from_package(PackageSource(package="detzoo_none.data", file="net.safetensors"))


def test_a_package_that_fails_at_import_is_a_reason_not_a_traceback(package: str, tmp_path: Path) -> None:
    (tmp_path / "toy_weights" / "__init__.py").write_text("1 / 0")
    with pytest.raises(SourceError, match="division by zero"):
        from_package(PackageSource(package=package, file="net.safetensors"))


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert from_file(FileSource(path="~/net.pth"), origin=None).path == tmp_path / "net.pth"


def test_a_path_is_relative_to_the_working_folder_unless_a_registry_file_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_file(FileSource(path="net.pth"), origin=None).path == tmp_path / "net.pth"
    assert from_file(FileSource(path="net.pth"), origin=Path("/registries")).path == Path("/registries/net.pth")
