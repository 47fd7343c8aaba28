"""Settings of the tests of checks."""

from collections.abc import Iterator

import pytest
import torch

from zoo.testing.conformance.checks import learning


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Some of the toys change torch's settings, and no other test is to notice; they learn at the
    first try, or never."""
    monkeypatch.setattr(learning, "TRIES", learning.TRIES[:1])
    yield
    torch.use_deterministic_algorithms(False)
