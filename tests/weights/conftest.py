"""A Hub on 127.0.0.1 that every test of this folder talks to, quick to lose patience, and files to
put on it."""

import hashlib
import io
from collections.abc import Callable, Iterator

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save

from zoo.registry.card import HubSource, Source, UrlSource
from zoo.testing import LoopbackHub

REPO, FILE = "org/repo", "model.safetensors"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short timeouts, and none of the user's settings."""
    monkeypatch.setenv("ZOO_TIMEOUT", "0.3")
    monkeypatch.setenv("ZOO_RETRIES", "2")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    for name in ("ZOO_BUNDLE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A running Hub that `hub:` sources go to."""
    with LoopbackHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture(scope="session")
def weights() -> bytes:
    """A safetensors file, large enough to break off in the middle."""
    return save(
        {"conv.weight": torch.arange(60_000, dtype=torch.float32), "conv.bias": torch.ones(3)}
    )


@pytest.fixture(scope="session")
def pth() -> bytes:
    """The same tensors as a training script saves them."""
    return _saved(
        {
            "model": {
                "conv.weight": torch.arange(60_000, dtype=torch.float32),
                "conv.bias": torch.ones(3),
            },
            "epoch": 3,
        }
    )


@pytest.fixture(scope="session")
def saved() -> Callable[..., bytes]:
    """`torch.save` to bytes."""
    return _saved


@pytest.fixture(scope="session")
def sha256() -> Callable[[bytes], str]:
    """The sha256 of bytes, in hex."""
    return lambda data: hashlib.sha256(data).hexdigest()


def _saved(what: object, **options: object) -> bytes:
    file = io.BytesIO()
    torch.save(what, file, **options)
    return file.getvalue()


@pytest.fixture(params=["hub", "url"])
def source(
    request: pytest.FixtureRequest, hub: LoopbackHub, weights: bytes, sha256: Callable[[bytes], str]
) -> Source:
    """The same file with its sha256 published, once on the Hub, once on any web server."""
    if request.param == "hub":
        return HubSource(
            repo=REPO, revision=hub.add(REPO, {FILE: weights}), file=FILE, sha256=sha256(weights)
        )
    return UrlSource(url=hub.add_file(f"files/{FILE}", weights), sha256=sha256(weights)[:8])
