"""What a user names is opened only where it is a regular file: nothing hangs, and nothing feeds
without end."""

import os
import socket
import stat

import pytest

from zoo.files import NotRegular, check_regular, kind_of, open_regular, read_regular, read_text


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("door", [open_regular, read_regular, read_text, check_regular])
def test_a_named_pipe_is_refused_at_once_and_not_opened(pipe, door):
    with pytest.raises(NotRegular, match="Is a named pipe, not a regular file") as caught:
        door(pipe)
    assert caught.value.filename == str(pipe)
    with pytest.raises(
        OSError, match="No such device"
    ):  # nobody reads: writing without waiting fails
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(NotRegular, match="a socket"):
            open_regular("socket")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused_through_a_link_too(device, tmp_path):
    (tmp_path / "link").symlink_to(device)
    with pytest.raises(NotRegular, match="a device"):
        open_regular(tmp_path / "link")


def test_a_regular_file_is_read(tmp_path):
    (tmp_path / "file").write_text("ä\n", encoding="utf-8")
    assert read_regular(tmp_path / "file") == "ä\n".encode()
    assert read_text(str(tmp_path / "file")) == "ä\n"
    assert check_regular(tmp_path / "file") == tmp_path / "file"
    with open_regular(tmp_path / "file") as file:
        assert stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def test_what_becomes_a_pipe_between_looking_and_opening_is_refused(tmp_path, pipe, monkeypatch):
    (tmp_path / "file").write_bytes(b"1")
    looked = os.stat(tmp_path / "file")
    monkeypatch.setattr(os, "stat", lambda path: looked)
    with pytest.raises(NotRegular):
        open_regular(pipe)


def test_a_folder_and_a_missing_file_are_told_as_ever(tmp_path):
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
    assert kind_of(tmp_path) == "a folder"
