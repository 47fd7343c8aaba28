"""The manifest of a bundle: found by name, by the locked sha256, or by one that the card gives."""

import json
from pathlib import Path

import pytest

from zoo.errors import SourceError
from zoo.registry.card import UrlSource, Weights
from zoo.weights import Manifest, WeightsRequest
from zoo.weights.manifest import Item

A, B, C = "a" * 64, "b" * 64, "c" * 64
PLAIN = Item("https://e.org/a.safetensors", A, 5, file=f"{A}.safetensors")
CONVERTED = Item("https://e.org/b.pth", B, 5, None, C, file=f"{C}.safetensors", state_key="model")
MANIFEST = Manifest({"x/a.v1": PLAIN, "x/b.v1": CONVERTED})


def request(name: str, *, sha256: str | None = None, key: str | None = None) -> WeightsRequest:
    source = UrlSource(url="https://other.org/w", sha256=sha256)
    return WeightsRequest(name, "v1", Weights(files={"model": [source]}, state_key=key))


def test_a_converted_file_has_the_sha256_of_what_lies_there() -> None:
    assert (PLAIN.ready, PLAIN.digest) == (False, A)
    assert (CONVERTED.ready, CONVERTED.digest) == (True, C)


def test_a_name_is_found_and_the_locked_sha256_overrules_it() -> None:
    assert MANIFEST.find(request("x/a"), sha256=None) is PLAIN
    assert MANIFEST.find(request("x/a"), sha256=A) is PLAIN
    assert MANIFEST.find(request("x/a"), sha256=C) is None


def test_another_name_finds_the_file_that_its_card_gives() -> None:
    assert MANIFEST.find(request("y/z", sha256=A[:8]), sha256=None) is PLAIN
    assert MANIFEST.find(request("y/z"), sha256=None) is None


def test_a_converted_file_serves_those_that_want_the_same_tensors_of_it() -> None:
    assert MANIFEST.find(request("y/z", sha256=B[:8], key="model"), sha256=None) is CONVERTED
    assert MANIFEST.find(request("y/z", sha256=B[:8], key="ema"), sha256=None) is None


@pytest.mark.parametrize(
    "text", ["{", "[]", json.dumps({"weights": {"a": {"file": "../x.safetensors"}}})]
)
def test_a_folder_that_is_no_bundle_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bundle.json").write_text(text)
    with pytest.raises(SourceError, match=r"bundle\.json can't be read"):
        Manifest.read(tmp_path)
