"""A street: a small data set of images; weights of a detector that sees things in them; plugins
as if they were installed."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.browser import Open, chromium, opener
from tests.warm_zoo import warm_zoo
from zoo.data import Dataset, read

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Give = Callable[..., None]


@pytest.fixture
def street(tmp_path: Path) -> Dataset:
    """Six small images, and an `instances.json` that says there are persons, dogs and unicorns in
    them."""
    folder = tmp_path / "street"
    (folder / "pictures").mkdir(parents=True)
    random = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(6):
        pixels = random.integers(0, 256, (8, 12 + number, 3), np.uint8)
        Image.fromarray(pixels).resize((120 + 10 * number, 80), Image.Resampling.NEAREST).save(
            folder / "pictures" / f"{number}.png"
        )
        images.append(
            {
                "id": number + 1,
                "file_name": f"{number}.png",
                "width": 120 + 10 * number,
                "height": 80,
            }
        )
        boxes = [[10, 10, 50, 40], [60, 20, 30, 30]]
        annotations += [
            {
                "id": 2 * number + row + 1,
                "image_id": number + 1,
                "category_id": 1 + (number + row) % 3,
                "bbox": box,
                "area": box[2] * box[3],
            }
            for row, box in enumerate(boxes)
        ]
    names = {1: "person", 2: "dog", 3: "unicorn"}
    categories = [{"id": number, "name": name} for number, name in names.items()]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return read(folder / "instances.json")


def _weights(to: Path, *, seed: int) -> str:
    """YOLOX-Nano with random weights that is sure of a lot."""
    import torch
    from safetensors.torch import save_file

    import zoo

    torch.manual_seed(seed)
    state = zoo.load("yolox_nano", weights=False).state_dict()
    for name, tensor in state.items():
        if "_preds" in name and name.endswith("bias"):
            tensor.zero_()
    save_file(state, to)
    return f"file:{to}"


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights for YOLOX-Nano, as `zoo.load` takes them."""
    return _weights(tmp_path_factory.mktemp("weights") / "nano.safetensors", seed=0)


@pytest.fixture(scope="session")
def dented(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Other ones."""
    return _weights(tmp_path_factory.mktemp("weights") / "dented.safetensors", seed=1)


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The program `zoo`, for tests of what it answers: its process begins with torch imported."""
    with warm_zoo(tmp_path_factory.mktemp("warm")) as program:
        yield program


@pytest.fixture
def give_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Give]:
    """Puts a plugin on the import path: a module, and a distribution whose entry point names it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules: list[str] = []

    def give(
        name: str, source: str, *, distribution: str = "", version: str = "1.0", module: str = ""
    ) -> None:
        distribution = distribution or f"detzoo-{name}"
        module = module or f"detzoo_{name}"
        modules.append(module)
        (site / f"{module}.py").write_text(dedent(source), encoding="utf-8")
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(f"[detzoo]\n{name} = {module}\n")
        importlib.invalidate_caches()

    yield give
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window, one for all tests."""
    with chromium() as made:
        yield made


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """(html, width, scheme, end of the address) -> the page; afterwards nothing may have gone wrong
    in it, and nothing may have been asked of a network."""
    with opener(browser, tmp_path) as opened:
        yield opened
