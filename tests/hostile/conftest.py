"""What hostile tests begin with: a Hub on this machine to misbehave."""

from collections.abc import Iterator

import pytest

from zoo.testing import LoopbackHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A running Hub that `hub:` sources go to, with none of the user's settings."""
    for name in ("ZOO_BUNDLE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    with LoopbackHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running
