"""A running Hub, and a client that trusts no setting."""

from collections.abc import Iterator

import httpx2
import pytest

from zoo.testing import LoopbackHub


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=0.5, trust_env=False) as client:
        yield client
