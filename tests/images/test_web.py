"""Images over real HTTP: redirects, errors, and servers that never come to an end."""

import socket
import traceback

import numpy as np
import PIL.Image
import pytest
import torch

from tests.locked_server import PASSWORD, locked_server, shown
from zoo.errors import ImageError, UsageError
from zoo.images import Limits, read


@pytest.fixture
def png(pixels, encode):
    return encode(PIL.Image.fromarray(pixels))


def respond(request, body, *, status=200, headers=None):
    request.send_response(status)
    for name, value in (headers or {"Content-Length": len(body)}).items():
        request.send_header(name, str(value))
    request.end_headers()
    request.wfile.write(body)


def test_a_url_gives_the_pixels_and_the_address(web, png, pixels):
    address = web(lambda request: respond(request, png)) + "/street.png?size=[large]*"
    image = read(address)
    assert np.array_equal(image.pixels.permute(1, 2, 0), pixels)
    assert image.source == address


def test_redirects_are_followed(web, png):
    def answer(request):
        if request.path == "/photo.png":
            respond(request, png)
        else:
            respond(
                request, b"", status=302, headers={"Location": "/photo.png", "Content-Length": 0}
            )

    assert torch.equal(read(web(answer) + "/moved").pixels, read(png).pixels)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "404 Not Found"), (401, "401 Unauthorized"), (503, "503 Service Unavailable")],
)
def test_an_error_of_the_server_is_told(status, said, web):
    address = web(lambda request: respond(request, b"", status=status))
    with pytest.raises(ImageError, match=f"'{address}'.*\n.*answered {said}") as caught:
        read(address)
    assert caught.value.file == address


def test_a_web_page_is_shown_to_be_one(web):
    address = web(lambda request: respond(request, b"<!DOCTYPE html><html>Log in</html>"))
    with pytest.raises(ImageError, match=f"'{address}'.*\n.*<!DOCTYPE html>"):
        read(address)


def test_a_body_cut_short_is_refused(web, png):
    address = web(lambda request: respond(request, png[:50], headers={"Content-Length": len(png)}))
    with pytest.raises(ImageError, match="can't be fetched"):
        read(address)


def test_an_empty_body_is_refused(web):
    with pytest.raises(ImageError, match="It is empty"):
        read(web(lambda request: respond(request, b"")))


def test_a_server_that_is_not_there_is_named():
    with socket.socket() as taken:
        taken.bind(
            ("127.0.0.1", 0)
        )  # bound and not listening: nobody else gets the port, nobody answers
        with pytest.raises(ImageError, match=r"can't be fetched: .*refused"):
            read(f"http://127.0.0.1:{taken.getsockname()[1]}/photo.png")


def test_an_endless_body_is_cut_off(web):
    def endless(request):
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(bytes(2**16))
        except OSError:
            pass

    with pytest.raises(ImageError, match="larger than 3 MB") as caught:
        read(web(endless), limits=Limits(download=3_000_000))
    assert "ZOO_IMAGE_DOWNLOAD=1G" in caught.value.fix


def test_a_silent_server_is_given_up(web, monkeypatch):
    monkeypatch.setenv("ZOO_TIMEOUT", "0.05")
    with pytest.raises(ImageError, match=r"can't be fetched: .*time"):
        read(web(lambda request: request.connection.recv(1)))


def test_a_server_that_drips_is_given_up(web, png):
    with pytest.raises(ImageError, match="took more than 1e-06 seconds"):
        read(web(lambda request: respond(request, png)), limits=Limits(seconds=1e-6))


@pytest.mark.parametrize("value", ["1", " on"])
@pytest.mark.parametrize("switch", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_no_socket_is_opened(switch, value, monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setenv(switch, value)
    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(ImageError, match=f"switched off by {switch}"):
        read("http://127.0.0.1:9/photo.png")


@pytest.mark.parametrize("setting", ["ZOO_OFFLINE", "HF_HUB_OFFLINE", "ZOO_TIMEOUT"])
def test_a_setting_that_is_none_is_the_error_that_it_is_for_weights(setting, monkeypatch):
    monkeypatch.setenv(setting, "banana")
    with pytest.raises(UsageError, match=rf"{setting} was read\.\n'banana' is n"):
        read("http://127.0.0.1:9/photo.png")


def test_a_password_is_used_and_not_shown(tmp_path, png, pixels):
    (tmp_path / "a.png").write_bytes(png)
    with locked_server(tmp_path) as address:
        image = read(f"{address}/a.png")
        with pytest.raises(ImageError, match=r"answered 404") as missing:
            read(f"{address}/b.png")
    assert np.array_equal(image.pixels.permute(1, 2, 0), pixels)
    assert image.source == f"{shown(address)}/a.png"
    assert missing.value.file == f"{shown(address)}/b.png"
    assert PASSWORD not in str(missing.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://admin:s3cret@127.0.0.1:9/a.png",
        "http://admin:s3cret/more@127.0.0.1:9/a.png",
        "rtsp://admin:s3cret@127.0.0.1:9/a.png",
    ],
)
def test_a_password_is_in_no_error_and_its_traceback(address):
    with pytest.raises(ImageError, match=r"\*\*\*@127") as caught:
        read(address)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_password_is_in_no_error_of_limits_and_switches(tmp_path, png, monkeypatch):
    (tmp_path / "a.png").write_bytes(png)
    with locked_server(tmp_path) as address:
        for limits in (Limits(download=9), Limits(seconds=1e-6)):
            with pytest.raises(ImageError, match=r"\*\*\*@127") as caught:
                read(f"{address}/a.png", limits=limits)
            assert PASSWORD not in str(caught.value)
        monkeypatch.setenv("ZOO_OFFLINE", "1")
        with pytest.raises(ImageError, match=r"\*\*\*@127") as caught:
            read(f"{address}/a.png")
    assert PASSWORD not in str(caught.value)
