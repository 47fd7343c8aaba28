"""Rendered scenes as files in every form, and a Hub on this machine to put them on."""

import io
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import shell as shell
from tests.data.formats.hub.shards import Shards, shards_of
from zoo.data import Dataset, GroundTruth, convert, read
from zoo.data.image_records import FolderRecords
from zoo.testing import LoopbackHub

REPO = "org/scenes"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A running Hub that `hub:` data sets come from, and no patience."""
    monkeypatch.setenv("ZOO_TIMEOUT", "1")
    monkeypatch.setenv("ZOO_RETRIES", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    with LoopbackHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Rendered scenes of three splits as PNG files; ids are the files' names, and boxes lie on
    quarters of a pixel, so that every format holds them to the bit."""
    folder = tmp_path_factory.mktemp("scenes")
    made = read("shapes:all,count=3,size=128")
    files = [str(Path(name).with_suffix(".png")) for name in made.images.files]  # type: ignore[attr-defined]
    for file, record in zip(files, made.images, strict=True):
        source = record.source()
        assert isinstance(source, bytes)
        (folder / file).parent.mkdir(exist_ok=True)
        Image.open(io.BytesIO(source)).save(folder / file)
    ids = [str(Path(file).with_suffix("")) for file in files]
    truth = made.truth
    order = np.lexsort((truth.labels, np.array(ids)[truth.images]))  # as lines of YOLO are numbered
    boxes = {
        "image": np.array(ids)[truth.images][order],
        "label": truth.labels[order],
        "box": (np.round(truth.boxes * 4) / 4)[order],
    }
    own = GroundTruth.of(sorted(ids), boxes, label_space=made.label_space)
    by_id = np.argsort(np.array(ids)).tolist()
    sizes = np.full((len(ids), 2), 128)
    records = FolderRecords(own.image_ids, [files[row] for row in by_id], sizes, folder, folder)
    splits = {
        name: np.array([at for at, one in enumerate(sorted(ids)) if one.startswith(name)])
        for name in made.split_rows
    }
    return Dataset("scenes", records, own, (), splits)


@pytest.fixture(scope="session")
def folder(scenes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenes as an image folder with metadata."""
    place = tmp_path_factory.mktemp("hub") / "scenes"
    convert(scenes, f"hub-folder:{place}", show=False)
    return place


@pytest.fixture(scope="session")
def folder_files(folder: Path) -> dict[str, bytes]:
    """Its files by name, as the Hub has them."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="session")
def shards(scenes: Dataset) -> Shards:
    """The scenes as the package `datasets` writes them to the Hub: a Parquet file a split, images
    inside."""
    return shards_of(scenes)
