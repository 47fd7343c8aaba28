"""What every test may use: the folder of real images and weights, where there is one."""

import os
import signal
from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path

import huggingface_hub.constants  # noqa: F401 - it reads HF_HUB_OFFLINE when it is first imported, and not from within a test
import pytest
from hypothesis import settings

from zoo.registry import Catalogue, reload
from zoo.registry.registry_file import USER
from zoo.registry.shared_catalogue import Shared

SETTINGS = ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs behind it
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("suite", deadline=None)  # a busy machine makes no test wrong
settings.load_profile("suite")
SHARED = Path(__file__).parent.parent / "shared" / "data"


@pytest.hookimpl(trylast=True)  # after they were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files that have slow tests first into the share of each process, so that no process
    begins one when the others have nothing left to do."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [tests for tests in files.values() if any(map(is_slow, tests))]
    rest = chain.from_iterable(tests for tests in files.values() if not any(map(is_slow, tests)))
    left, processes = len(items), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ordered: list[pytest.Item] = []
    for process in range(processes):
        share = list(chain.from_iterable(slow[process::processes]))
        size = left // (processes - process)  # as --dist worksteal deals them out
        share += islice(rest, max(0, size - len(share)))
        ordered += share
        left -= len(share)
    items[:] = [*ordered, *rest]


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real images, weights and known answers; a user's clone has none, and the test skips."""
    if not SHARED.is_dir():
        pytest.skip(
            "needs the real images and weights in ../shared/data, which a plain clone does not have"
        )
    return SHARED


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that do not exist yet, one a test: making one beside those of all other tests looks
    at each of them."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def _own_home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has an empty cache of its own, and no setting of the user's."""
    home = next(homes)
    monkeypatch.setenv("ZOO_HOME", str(home / "zoo"))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    for name in [
        *SETTINGS,
        *(name for name in os.environ if name.startswith("ZOO_") and name != "ZOO_HOME"),
    ]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    """No test sees a registry file or a plugin that another brought."""
    yield
    if Shared.added or not _bundled_alone(Shared.catalogue):
        Shared.added = ()
        reload()


def _bundled_alone(known: Catalogue | None) -> bool:
    """Whether a catalogue holds what is bundled, all of it and nothing else."""
    if known is None:
        return True
    complete = all(
        info.distribution == "detzoo" and info.status == "loaded" for info in known.plugins
    )
    return complete and not any(row.plugin == USER for _, row in known.rows())


@pytest.fixture
def published_yolox_nano(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """YOLOX-Nano's real weights, in upstream's file format, at the address its card gives (through
    a mirror on this machine)."""
    import torch
    from safetensors.torch import load_file

    from zoo.testing import LoopbackHub

    with LoopbackHub() as hub:
        file = tmp_path / "yolox_nano.pth"
        torch.save(
            {
                "model": load_file(shared / "yolox_nano" / "yolox_nano_fused.safetensors"),
                "start_epoch": 300,
            },
            file,
        )
        url = hub.add_file("mirror/yolox_nano.pth", file)
        file.unlink()
        published = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/"
        monkeypatch.setenv("ZOO_MIRRORS", f"{published}={url.removesuffix('yolox_nano.pth')}")
        yield
