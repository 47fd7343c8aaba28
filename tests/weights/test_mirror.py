"""A mirror is another place for the same file."""

import pytest

from zoo.errors import SourceError
from zoo.registry.card import FileSource, HubSource, Source, UrlSource
from zoo.weights.mirror import mirrored

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


@pytest.mark.parametrize(
    "rest", ["../secret", "a/../../secret", "%2e%2e/secret", "a\\..\\..\\secret"]
)
def test_no_address_leads_out_of_a_mirror(rest: str) -> None:
    with pytest.raises(SourceError, match="lead out of the mirror"):
        mirrored(
            UrlSource(url=f"https://example.org/{rest}"),
            {"https://example.org/": "file:///mnt/models/"},
        )
