"""A server that is killed under load: its clients get their error at once, and behind a balancer
those that try again get every answer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

import zoo
from tests.serve.replicas import WAIT, Load, Replica, replicas
from zoo.serve import ServerError
from zoo.serve.server import listening

CONFIGURATION = Path(__file__).parents[2] / "docs/howto/serve/nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
TIMEOUT = 30.0
CLIENTS = 4


@pytest.fixture(scope="module")
def image() -> bytes:
    """A PNG file of a scene in which `yolox_pico` sees something."""
    import io

    from PIL import Image

    pixels = zoo.data.read("shapes:val,count=1").image(0).pixels
    file = io.BytesIO()
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(file, "PNG")
    return file.getvalue()


def test_a_killed_server_leaves_nobody_waiting(image: bytes) -> None:
    wanted = zoo.load("yolox_pico").detect(image, score=0.05)
    assert len(wanted)
    with replicas(1) as [replica]:
        load = Load(replica.url, image, clients=CLIENTS, retries=0, timeout=TIMEOUT)
        load.wait_for(3)
        replica.process.kill()
        sent = load.end()
        host, _, port = replica.address.partition(":")
        listening(host, int(port)).close()  # whoever starts it again gets its port at once
    for client in sent:
        [error] = client.errors
        assert isinstance(error, ServerError)
        assert "did not answer" in str(error)
        assert client.longest < TIMEOUT / 2
        assert all(same(detections, wanted) for detections in client.answers)


def same(found: zoo.Detections, wanted: zoo.Detections) -> bool:
    """Whether they are the same detections; in a batch the last bits of a float may differ."""
    return found.class_names == wanted.class_names and bool(
        (found.boxes - wanted.boxes).abs().max() < 0.1
    )


@contextmanager
def nginx(folder: Path, servers: list[Replica]) -> Iterator[str]:
    """nginx with the how-to's configuration, on a free port and before these replicas; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = CONFIGURATION.read_text().replace("listen 80;", f"listen 127.0.0.1:{port};")
    for place, replica in zip(("127.0.0.1:8001", "127.0.0.1:8002"), servers, strict=True):
        assert text.count(f"server {place} ") == 1
        text = text.replace(f"server {place} ", f"server {replica.address} ")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    whole = (
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;\n"
        f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n"
    )
    (folder / "whole.conf").write_text(whole)
    command = [
        str(NGINX),
        "-p",
        str(folder),
        "-e",
        f"{folder}/errors",
        "-c",
        f"{folder}/whole.conf",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + WAIT
        try:
            while True:
                try:
                    assert httpx2.get(f"{url}/readyz").status_code == 200
                    break
                except httpx2.TransportError:
                    assert process.poll() is None, process.stderr and process.stderr.read()
                    assert time.monotonic() < until
                    time.sleep(0.05)
            yield url
        finally:
            process.terminate()


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx")
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_behind_a_balancer_no_request_is_lost(
    how: signal.Signals, image: bytes, tmp_path: Path
) -> None:
    with replicas(2) as [first, second], nginx(tmp_path, [first, second]) as url:
        wanted = httpx2.post(f"{url}/v1/detect", content=image, headers={"X-Request-Id": "mine"})
        assert (wanted.status_code, wanted.headers["X-Request-Id"]) == (200, "mine")
        load = Load(url, image, clients=CLIENTS, retries=4, timeout=TIMEOUT)
        load.wait_for(3)
        first.process.send_signal(how)
        load.wait_for(5)
        sent = load.end()
        assert first.process.wait(WAIT) == (0 if how is signal.SIGTERM else -how)
        again = httpx2.post(f"{url}/v1/detect", content=image)
    assert [client.errors for client in sent] == [[]] * CLIENTS
    assert all(len(client.answers) >= 8 for client in sent)
    assert all(same(found, client.answers[0]) for client in sent for found in client.answers)
    assert again.json() == wanted.json()
