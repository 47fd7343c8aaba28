"""Sources: a source and its text stand for each other, a mirror is another place for the same file,
and some files are here already: beside a registry file, or inside an installed package."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo.weights
from zoo.errors import SourceError
from zoo.registry.card import FileSource, HubSource, PackageSource, Source, UrlSource, Weights
from zoo.weights.sources import HubSpec, address_of, from_file, from_package, mirrored, parse_source

word = st.from_regex(r"[A-Za-z0-9_][\w.-]{0,10}", fullmatch=True)
commit = st.text("0123456789abcdef", min_size=40, max_size=40)
path = st.lists(word, min_size=1, max_size=3).map("/".join)
sources = st.one_of(
    st.builds(HubSource, repo=st.builds("{}/{}".format, word, word), revision=commit, file=path),
    st.builds(UrlSource, url=path.map("https://example.org/{}".format)),
    st.builds(PackageSource, package=word, file=path),
    st.builds(FileSource, path=path),
)


@settings(max_examples=40)
@given(sources)
def test_what_is_printed_is_read_back(source: Source) -> None:
    assert parse_source(address_of(source)) == source


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("hub:org/repo", HubSpec("org/repo")),
        ("hub:org/repo@main", HubSpec("org/repo", "main")),
        ("hub:org/repo@refs/pr/1:sub/net.pth", HubSpec("org/repo", "refs/pr/1", "sub/net.pth")),
        ("hub:org/repo:net.pth", HubSpec("org/repo", None, "net.pth")),
        ("hub:org/repo@" + "a" * 40, HubSpec("org/repo", "a" * 40)),
    ],
)
def test_a_place_on_the_hub_may_be_open(text: str, spec: HubSpec) -> None:
    assert parse_source(text) == spec


def test_a_file_url_is_decoded_and_a_plain_path_is_not() -> None:
    assert parse_source("file:///mnt/a%20b.pth") == FileSource(path="/mnt/a b.pth")
    assert parse_source("file:a%20b.pth") == FileSource(path="a%20b.pth")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yolox_nano",
        "hub:",
        "hub:org",
        "hub:org/repo@",
        "http:",
        "https:///x",
        "file:",
        "package:x",
        "s3://b/x",
        "https://[::1",
        "https://[a]/x",
        "file://[::1",
        "file://host",
    ],
)
def test_anything_else_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(SourceError, match="file:PATH"):
        parse_source(text)


COMMIT = "a" * 40
HUB = HubSource(repo="org/net", revision=COMMIT, file="model.safetensors")
URL = UrlSource(url="https://example.org/models/net.pth")


@pytest.mark.parametrize(
    ("source", "mirrors", "through"),
    [
        (URL, {}, URL),
        (URL, {"https://other.org/": "https://mirror.org/"}, URL),
        (
            URL,
            {"https://example.org/": "https://mirror.org/x/"},
            UrlSource(url="https://mirror.org/x/models/net.pth"),
        ),
        (URL, {"https://example.org/": "file:///mnt/"}, FileSource(path="/mnt/models/net.pth")),
        (
            HUB,
            {"hub:org/": "hub:mirror/"},
            HubSource(repo="mirror/net", revision=COMMIT, file="model.safetensors"),
        ),
        (
            HUB,
            {"hub:": "https://mirror.org/"},
            UrlSource(url=f"https://mirror.org/org/net/resolve/{COMMIT}/model.safetensors"),
        ),
        (
            HUB,
            {"hub:org/": "file:/mnt/"},
            FileSource(path=f"/mnt/net/resolve/{COMMIT}/model.safetensors"),
        ),
        (
            HUB,
            {"hub:org/net": "https://mirror.org/net"},
            UrlSource(url=f"https://mirror.org/net/resolve/{COMMIT}/model.safetensors"),
        ),
        (
            HUB,
            {address_of(HUB): "https://mirror.org/net.safetensors"},
            UrlSource(url="https://mirror.org/net.safetensors"),
        ),
        (
            URL,
            {URL.url: f"hub:me/mirror@{COMMIT}:net.pth"},
            HubSource(repo="me/mirror", revision=COMMIT, file="net.pth"),
        ),
    ],
)
def test_a_prefix_is_replaced(source: Source, mirrors: dict[str, str], through: Source) -> None:
    assert mirrored(source, mirrors) == through


def test_the_longest_prefix_wins() -> None:
    mirrors = {
        "https://": "file:/wrong/",
        "https://example.org/models/": "file:/right/",
        "https://example.org/": "file:/wrong/",
    }
    assert mirrored(URL, mirrors) == FileSource(path="/right/net.pth")


def test_a_mirror_on_a_branch_is_refused_and_the_original_not_used_for_it() -> None:
    with pytest.raises(SourceError, match="Pin the mirror to a commit: hub:org/repo@COMMIT:"):
        mirrored(URL, {"https://example.org/models/": "hub:me/mirror@main:"})


@pytest.mark.parametrize(
    "prefix", ["hub:org/net@", f"hub:org/net@{COMMIT[:9]}", f"hub:org/net@{COMMIT}:model"]
)
@pytest.mark.parametrize("place", ["https://mirror.org/", "file:/mnt/"])
def test_a_web_mirror_of_a_part_of_a_repository_is_told_where_its_prefix_ends(
    prefix: str, place: str
) -> None:
    with pytest.raises(SourceError, match="End it there, hub:org/net=PLACE"):
        mirrored(HUB, {prefix: place})


@pytest.mark.parametrize(
    "rest", ["../secret", "a/../../secret", "%2e%2e/secret", "a\\..\\..\\secret"]
)
def test_no_address_leads_out_of_a_mirror(rest: str) -> None:
    with pytest.raises(SourceError, match="lead out of the mirror"):
        mirrored(
            UrlSource(url=f"https://example.org/{rest}"),
            {"https://example.org/": "file:///mnt/models/"},
        )


@pytest.fixture
def package(tmp_path: Path, weights: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package with weights in it."""
    (tmp_path / "toy_weights").mkdir()
    (tmp_path / "toy_weights" / "__init__.py").touch()
    (tmp_path / "toy_weights" / "net.safetensors").write_bytes(weights)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_weights", raising=False)
    return "toy_weights"


def test_weights_can_come_with_a_package(
    package: str, weights: bytes, sha256, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    source = PackageSource(package=package, file="net.safetensors", sha256=sha256(weights))
    fetched = zoo.weights.fetch(Weights(files={"model": [source]}), name="a/net")
    assert fetched.path.read_bytes() == weights
    assert fetched.source == "package:toy_weights/net.safetensors"


def test_a_package_without_the_file_is_named(package: str) -> None:
    with pytest.raises(SourceError, match=r"none\.safetensors(.|\n)*no such file"):
        from_package(PackageSource(package=package, file="none.safetensors")).find()


@pytest.fixture
def known_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin that would be called `none` and is not installed."""
    cards = tmp_path / "cards.yaml"
    cards.write_text("schema: 2\nknown_plugins: {none: {distribution: acme-none}}\n")
    monkeypatch.setenv("ZOO_REGISTRY", str(cards))
    zoo.registry.reload()
    yield
    zoo.registry.reload()


@pytest.mark.usefixtures("known_plugin")
def test_a_known_plugin_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(SourceError, match="pip install acme-none"):
        from_package(PackageSource(package="detzoo_none.data", file="net.safetensors"))


@pytest.mark.parametrize("package", ["detzoo_none", "requestss", "-r http", "a b"])
def test_a_package_that_nobody_knows_is_not_advised_to_be_installed(package: str) -> None:
    with pytest.raises(SourceError, match="No package") as error:
        from_package(PackageSource(package=package, file="net.safetensors"))
    assert "pip" not in str(error.value)


def test_a_package_is_not_imported(package: str, tmp_path: Path) -> None:
    (tmp_path / "toy_weights" / "__init__.py").write_text("1 / 0")
    (tmp_path / "toy_weights" / "below").mkdir()
    (tmp_path / "toy_weights" / "below" / "net.safetensors").touch()
    for source in (
        PackageSource(package=package, file="net.safetensors"),
        PackageSource(package=f"{package}.below", file="net.safetensors"),
    ):
        assert from_package(source).find().is_file()
    assert package not in sys.modules


@pytest.mark.parametrize("working_folder", ["", "its path"])
def test_the_working_folder_is_no_package(
    tmp_path: Path, weights: bytes, working_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "net.safetensors").write_bytes(weights)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path) if working_folder else "", *sys.path])
    with pytest.raises(SourceError, match="No package 'mine' is installed"):
        from_package(PackageSource(package="mine", file="net.safetensors"))


@pytest.mark.parametrize("file", ["../secret", "/etc/hostname", "link", "a\\b", "C:x", "", "a\0b"])
def test_a_package_has_only_what_is_in_its_folder(package: str, tmp_path: Path, file: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "toy_weights" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceError, match="the package 'toy_weights'"):
        from_package(PackageSource(package=package, file=file))


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "link", "a\\b", "~/secret"])
def test_a_card_has_only_what_is_in_its_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "cards" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceError):
        from_file(FileSource(path=path), origin=tmp_path / "cards").find()


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_only_regular_files_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "net.pth"
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    with pytest.raises(SourceError, match=r"folder|regular"):
        from_file(FileSource(path=str(path)), origin=None).find()


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert from_file(FileSource(path="~/net.pth"), origin=None).path == tmp_path / "net.pth"


def test_a_home_folder_that_nobody_has_is_a_file_that_is_not_there() -> None:
    with pytest.raises(SourceError, match="There is no such file"):
        from_file(FileSource(path="~nosuchuser/net.pth"), origin=None).find()


def test_a_path_is_relative_to_the_working_folder_unless_a_registry_file_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_file(FileSource(path="net.pth"), origin=None).path == tmp_path / "net.pth"
    assert from_file(FileSource(path="net.pth"), origin=Path("/registries")).path == Path(
        "/registries/net.pth"
    )
