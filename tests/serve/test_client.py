"""The client: every form of an image gives the Detections that the model gives here."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.patient_server import PatientServer
from tests.serve.conftest import TOKEN
from zoo.errors import ImageError, NameNotFound, UsageError
from zoo.serve import Client, Options, Server, ServerError


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as made:
        yield made


def test_every_form_gives_the_same(client: Client, png: Callable, tmp_path: Path) -> None:
    data = png()
    (tmp_path / "a.png").write_bytes(data)
    array = np.asarray(Image.open(io.BytesIO(data)))
    forms = [
        data,
        tmp_path / "a.png",
        str(tmp_path / "a.png"),
        Image.open(io.BytesIO(data)),
        array,
        torch.from_numpy(array.copy()).permute(2, 0, 1),
    ]
    found = [client.detect(form) for form in forms]
    assert all(one.equals(found[0]) for one in found)
    assert found[0].class_names == ["cat"]
    assert found[0].size == (30, 40)
    assert found[1].source == str(tmp_path / "a.png")
    assert len(client.detect(data, score=0.9)) == 0


def test_models_are_told_with_their_label_spaces(client: Client) -> None:
    first, second = client.models()
    assert first.default
    assert first.label_space.names == ("cat", "dog")
    assert second.thresholds.max_boxes == 10
    assert client.is_ready()


def test_errors_are_those_of_the_zoo(client: Client, png: Callable) -> None:
    with pytest.raises(ImageError, match="not an image") as refused:
        client.detect(b"no image")
    assert refused.value.file == "image"
    with pytest.raises(NameNotFound, match="'nope'"):
        client.detect(png(), model="nope")
    with pytest.raises(UsageError, match=r"takes a number from 0 to 1; \"2\.0\" was given"):
        client.detect(png(), score=2.0)
    with pytest.raises(ImageError, match="no such file"):
        client.detect("missing.png")
    with pytest.raises(ImageError, match="fetches no URLs"):
        client.detect("https://images.example/a.png")


def test_nobody_there_is_an_error_after_the_tries() -> None:
    with Client("http://127.0.0.1:9", retries=1) as client:
        assert not client.is_ready()
        with pytest.raises(ServerError, match="did not answer") as silent:
            client.models()
    assert silent.value.status is None


def test_a_password_in_the_address_is_not_shown() -> None:
    nobody = r"http://\*\*\*@127.0.0.1:9 did not answer"
    with (
        Client("http://admin:s3cret@127.0.0.1:9", retries=0) as client,
        pytest.raises(ServerError, match=nobody) as silent,
    ):
        client.models()
    assert "s3cret" not in str(silent.value)
    with pytest.raises(UsageError, match=r"'ftp://\*\*\*@host'"):
        Client("ftp://admin:s3cret@host")


def test_a_token_is_sent(flat: Callable, png: Callable) -> None:
    with Server([flat()], port=0, options=Options(tokens=(TOKEN,))) as server:
        with Client(server.url, token=f"{TOKEN}\n") as client:  # as a file has it
            assert len(client.detect(png())) == 1
        with Client(server.url) as client, pytest.raises(ServerError) as refused:
            client.detect(png())
        assert refused.value.status == 401
        assert refused.value.request_id


@pytest.mark.parametrize("token", ["schlüssel", "two words", "\n", "two\nlines"])
def test_a_token_that_no_header_holds_is_refused_and_kept_secret(token: str) -> None:
    with pytest.raises(UsageError, match="one line of ASCII") as refused:
        Client(token=token)
    assert token.strip() not in str(refused.value) or not token.strip()


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "http://127.0.0.1:abc", "ftp://host", "", "http://"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not the address of a server"):
        Client(url)


def test_a_file_name_of_any_bytes_is_sent(client: Client, png: Callable, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"bad\xff.png")
    path.write_bytes(png())
    assert client.detect(path).size


class Balancer(BaseHTTPRequestHandler):
    """Answers with the statuses of its server, in the words of a balancer, and then as a server."""

    def do_GET(self) -> None:
        status = self.server.statuses.pop(0)  # type: ignore[attr-defined]
        body = b'{"models": []}' if status == 200 else b"<html>Bad Gateway</html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize(
    ("statuses", "left", "refused"),
    [
        ([502, 503, 200], 0, None),
        ([502, 502, 502, 200], 1, 502),
        ([504, 200], 1, 504),
        ([500, 200], 1, 500),
    ],
)
def test_it_comes_again_where_that_may_help(
    statuses: list[int], left: int, refused: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.serve.client.PAUSE_SECONDS", 0.01)
    with PatientServer(("127.0.0.1", 0), Balancer) as balancer:
        balancer.statuses = statuses  # type: ignore[attr-defined]
        threading.Thread(target=balancer.serve_forever, daemon=True).start()
        with Client(f"http://127.0.0.1:{balancer.server_port}", retries=2) as client:
            if refused is None:
                assert client.models() == []
            else:
                with pytest.raises(ServerError, match=f"answered {refused}") as error:
                    client.models()
                assert error.value.status == refused
        balancer.shutdown()
    assert len(statuses) == left
