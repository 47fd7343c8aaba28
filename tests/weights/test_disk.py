"""What the disk says against a file is put into words."""

import errno
import os
from pathlib import Path

import pytest

from zoo.errors import CacheError
from zoo.weights.disk import check_room, file_lock, saving


def test_no_space_left_on_the_device_is_said_as_such(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, a device that is always full")
    said = r"net\.pth can't be written\.\nNo space left on device\.\nFree some space. Set ZOO_HOME"
    with (
        pytest.raises(CacheError, match=said),
        saving(tmp_path / "net.pth"),
        Path("/dev/full").open("wb") as file,
    ):
        file.write(b"weights")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_other_refusals_do_not_ask_for_space(number: int, tmp_path: Path) -> None:
    with pytest.raises(CacheError) as error, saving(tmp_path / "net.pth"):
        raise OSError(number, os.strerror(number))
    assert os.strerror(number) in error.value.case
    assert error.value.fix.startswith("Set ZOO_HOME")


def test_errors_that_are_not_the_disks_pass(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="offline"), saving(tmp_path / "net.pth"):
        raise ConnectionError("offline")


def test_a_file_that_will_not_fit_is_refused_before_its_first_byte(tmp_path: Path) -> None:
    check_room(tmp_path / "net.pth", 1)
    with pytest.raises(CacheError, match=r"takes 1000000000000\.0 MB(.|\n)*Free some space"):
        check_room(tmp_path / "net.pth", 10**18)


def test_a_lock_that_a_killed_process_left_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / "net.pth.lock").touch()
    with file_lock(tmp_path / "net.pth"):
        pass
