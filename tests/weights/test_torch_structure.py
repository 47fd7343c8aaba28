"""The structure of a file of torch.save, checked before torch reads it."""

import zipfile
from pathlib import Path

import pytest
import torch

from zoo.weights.pickle_structure import Damaged, Refused
from zoo.weights.torch_structure import check_pickles, check_zip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state dict as torch saves it today."""
    torch.save({"w": torch.arange(64.0), "b": torch.zeros(3)}, tmp_path / "x.pth")
    return tmp_path / "x.pth"


def test_what_torch_saves_is_accepted(path: Path) -> None:
    check_zip(path)


def test_what_torch_saved_before_it_wrote_archives_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    check_pickles(path)


def test_a_file_that_broke_off_is_damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(Damaged):
        check_zip(path)


def test_a_changed_byte_is_found_by_its_checksum(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[raw.index(torch.arange(64.0).numpy().tobytes()) + 5] ^= 1
    path.write_bytes(raw)
    with pytest.raises(Damaged, match="checksum of its entry"):
        check_zip(path)


def test_a_record_that_is_shorter_than_its_tensor_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "short.pth"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(other, "w") as short:
        for name in archive.namelist():
            content = archive.read(name)
            short.writestr(name, content[:100] if len(content) == 256 else content)
    with pytest.raises(Refused):
        check_zip(other)


def test_compressed_entries_are_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(path) as archive,
        zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    with pytest.raises(Refused):
        check_zip(other)
