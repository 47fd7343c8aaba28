"""What a user names is opened only where it is a regular file: nothing hangs, and nothing feeds
without end. Whatever is written is there whole or not at all."""

import errno
import gc
import os
import socket
import stat

import pytest

from zoo.errors import DataError
from zoo.files import (
    NotRegular,
    atomic_folder,
    atomic_write,
    check_regular,
    copy_into,
    kind_of,
    open_regular,
    pause_gc,
    read_regular,
    read_text,
    write_errors,
    write_file,
    write_into,
)


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


def test_text_and_bytes_are_written_into_a_new_folder(tmp_path):
    write_file(tmp_path / "a" / "b" / "text", "ä\n")
    write_file(tmp_path / "a" / "bytes", b"\0")
    assert (tmp_path / "a" / "b" / "text").read_bytes() == "ä\n".encode()
    assert (tmp_path / "a" / "bytes").read_bytes() == b"\0"


def begin(draft):
    """Writes half a file."""
    draft.write_text("half")
    raise InterruptedError


def test_a_file_that_is_not_finished_does_not_replace_the_old_one(tmp_path):
    path = tmp_path / "record.json"
    write_file(path, "old")
    with pytest.raises(InterruptedError), atomic_write(path) as draft:
        begin(draft)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("durable", [True, False])
def test_a_durable_file_is_on_the_disk_before_it_has_its_name_and_then_its_name_is(
    tmp_path, monkeypatch, durable
):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda number: calls.append(kind_of(f"/dev/fd/{number}")))
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: calls.append("moved") or replace(*paths))
    write_file(tmp_path / "a", "text", durable=durable)
    assert calls == (["a regular file", "moved", "a folder"] if durable else ["moved"])


def test_a_read_only_file_is_replaced_all_the_same(tmp_path):
    for text in ("first", "second"):
        with atomic_write(tmp_path / "a", read_only=True) as draft:
            draft.write_text(text)
    assert (tmp_path / "a").read_text() == "second"
    assert not stat.S_IMODE((tmp_path / "a").stat().st_mode) & 0o222


def test_a_pipe_is_written_to_and_stays_one(pipe):
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert kind_of(pipe) == "a named pipe"


def test_a_folder_is_not_replaced_and_a_file_is_no_folder(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path, "text")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        write_file(tmp_path / "file" / "below", "text")


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "Free some space. Look."),
        (errno.EDQUOT, "Free some space. Look."),
        (errno.EROFS, "Look."),
    ],
)
def test_what_the_disk_says_is_an_error_of_three_parts(number, fix):
    with pytest.raises(DataError) as caught, write_errors("a.json", DataError, fix="Look."):
        raise OSError(number, "said otherwise")
    assert str(caught.value) == f"a.json can't be written.\n{os.strerror(number)}.\n{fix}"
    asked = "A report can't be written."
    with (
        pytest.raises(DataError, match=asked),
        write_errors("a", DataError, fix="Look.", failure=asked),
    ):
        raise OSError(number, "said otherwise")


def test_errors_that_are_not_the_disk_s_pass():
    for error in (BrokenPipeError(errno.EPIPE, "left"), OSError("no number"), ValueError("wrong")):
        with pytest.raises(type(error)) as caught, write_errors("a", DataError, fix="Look."):
            raise error
        assert caught.value is error


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    place = tmp_path / "made" / "here"
    with pytest.raises(FileNotFoundError), atomic_folder(place) as draft:
        copy_into(draft, [("a.txt", tmp_path / "a.txt"), ("b.txt", tmp_path / "gone.txt")])
    assert list(place.parent.iterdir()) == []
    place.mkdir()  # an empty one may be there
    with atomic_folder(place) as draft:
        write_into(draft, [("x/b.txt", "ü"), ("x/c.txt", b"c")])
        copy_into(draft / "y", [("a.txt", tmp_path / "a.txt"), ("d.txt", b"d")])
    assert sorted(one.name for one in place.rglob("*.txt")) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert (place / "x" / "b.txt").read_text("utf-8") == "ü"
    with pytest.raises(FileExistsError), atomic_folder(place):
        pass
    with pytest.raises(FileExistsError), atomic_folder(tmp_path / "new") as draft:
        write_into(draft, [("b.txt", "b"), ("b.txt", "c")])


def test_a_folder_that_a_killed_process_left_is_removed_and_one_in_use_is_not(tmp_path):
    left = tmp_path / ".here.1-2.draft"
    left.mkdir()
    with atomic_folder(tmp_path / "here") as draft:
        assert not left.exists()
        with atomic_folder(tmp_path / "here"):
            assert draft.is_dir()
    assert [one.name for one in tmp_path.iterdir()] == ["here"]


def test_of_two_writers_of_a_folder_the_first_to_end_has_it(tmp_path):
    def write_late() -> None:
        with atomic_folder(tmp_path / "here") as late:
            write_into(late, [("a.txt", "late")])
            with atomic_folder(tmp_path / "here") as early:
                write_into(early, [("a.txt", "early")])

    with pytest.raises(OSError):
        write_late()
    assert [one.name for one in tmp_path.iterdir()] == ["here"]
    assert (tmp_path / "here" / "a.txt").read_text() == "early"


def test_garbage_is_collected_afterwards_if_it_was_before() -> None:
    def read() -> None:
        with pause_gc():
            assert not gc.isenabled()
            raise OSError

    before = gc.isenabled()
    try:
        for enabled in (True, False):
            (gc.enable if enabled else gc.disable)()
            with pytest.raises(OSError):
                read()
            assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
