"""A source and its text stand for each other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import SourceError
from zoo.registry.card import FileSource, HubSource, PackageSource, Source, UrlSource
from zoo.weights.address import HubSpec, parsed, printed

word = st.from_regex(r"[A-Za-z0-9_][\w.-]{0,10}", fullmatch=True)
commit = st.text("0123456789abcdef", min_size=40, max_size=40)
path = st.lists(word, min_size=1, max_size=3).map("/".join)
sources = st.one_of(
    st.builds(HubSource, repo=st.builds("{}/{}".format, word, word), revision=commit, file=path),
    st.builds(UrlSource, url=path.map("https://example.org/{}".format)),
    st.builds(PackageSource, package=word, file=path),
    st.builds(FileSource, path=path),
)


@settings(max_examples=40, deadline=None)
@given(sources)
def test_what_is_printed_is_read_back(source: Source) -> None:
    assert parsed(printed(source)) == source


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
    assert parsed(text) == spec


def test_a_file_url_is_decoded_and_a_plain_path_is_not() -> None:
    assert parsed("file:///mnt/a%20b.pth") == FileSource(path="/mnt/a b.pth")
    assert parsed("file:a%20b.pth") == FileSource(path="a%20b.pth")


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
    ],
)
def test_anything_else_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(SourceError, match="file:PATH"):
        parsed(text)
