"""What every test may use: the folder of real images and weights, where there is one."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
SHARED = Path(__file__).parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real images, weights and known answers; a user's clone has none, and the test skips."""
    if not SHARED.is_dir():
        pytest.skip("needs the real images and weights in ../shared/data, which a plain clone does not have")
    return SHARED


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has an empty cache of its own, and no setting of the user's."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ZOO_HOME", str(home / "zoo"))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    for name in ("ZOO_PLUGINS", "ZOO_REGISTRY", "ZOO_OFFLINE", "ZOO_MIRRORS", "ZOO_LOCK", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
