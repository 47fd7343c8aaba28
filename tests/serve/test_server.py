"""A server in a process: what it accepted is answered when it is told to end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from zoo.errors import ContractError, UsageError
from zoo.serve import Options, Server
from zoo.serve.server import listening

CLIENTS = 8


def test_it_ends_by_itself_and_keeps_nothing(flat: Callable, png: Callable) -> None:
    before = set(threading.enumerate())
    with Server([flat()], port=0) as server:
        assert httpx2.post(f"{server.url}/v1/detect", content=png()).status_code == 200
        threads = {thread.name for thread in set(threading.enumerate()) - before}
        assert "zoo-serve-loop" in threads
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert "zoo-serve-loop" not in left
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{server.url}/healthz")


def test_what_was_accepted_is_answered_while_it_ends(flat: Callable, png: Callable) -> None:
    began, free, warm = threading.Event(), threading.Event(), threading.Event()

    def hold(images: object) -> None:
        if warm.is_set():
            began.set()
            assert free.wait(20)

    server = Server([flat(on_batch=hold)], port=0)
    with ThreadPoolExecutor(2) as pool:
        with server:
            warm.set()
            answer = pool.submit(httpx2.post, f"{server.url}/v1/detect", content=png(), timeout=30)
            assert began.wait(20)
            server.stop()
            threading.Timer(0.5, free.set).start()
        assert answer.result().status_code == 200
        assert answer.result().headers["Connection"] == "close"


def test_a_port_that_is_taken_and_models_that_can_t_be_served(flat: Callable) -> None:
    with Server([flat()], port=0) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
            Server([flat()], port=port)
    with pytest.raises(UsageError, match="served"):
        Server([], port=0)
    with pytest.raises(UsageError, match="Two are called"):
        Server([flat(), flat()], port=0)

    def fail(images: object) -> None:
        raise ValueError("broken")

    with pytest.raises(ContractError, match="broken"):
        Server([flat(on_batch=fail)], port=0, options=Options())


def test_no_accepted_request_is_lost_by_a_signal_under_load(png: Callable) -> None:
    """Each request that the log says was answered was answered: ids at both ends are compared."""
    command = [sys.executable, "-m", "zoo", "serve", "yolox_pico", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" at ")[1].split(": ")[0].removesuffix(":")
        stop = threading.Event()
        image = png(320, 240)

        def load(client: int) -> dict[str, int | None]:
            answers: dict[str, int | None] = {}
            while not stop.is_set():
                name = f"{client}-{len(answers)}"
                try:
                    answer = httpx2.post(
                        f"{url}/v1/detect",
                        content=image,
                        headers={"X-Request-Id": name},
                        timeout=30,
                    )
                    answers[name] = answer.status_code
                except httpx2.TransportError:
                    answers[name] = None
                    break
            return answers

        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(load, client) for client in range(CLIENTS)]
            time.sleep(1.0)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
            stop.set()
        answers = {name: status for one in clients for name, status in one.result().items()}
    assert process.returncode == 0, log[-2000:]
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    logged = {line["request_id"]: line["status"] for line in lines if line["path"] == "/v1/detect"}
    assert logged == {name: status for name, status in answers.items() if status is not None}
    assert set(logged.values()) == {200}
    assert "every accepted request was answered" in log


def test_the_body_of_an_answer_does_not_wait_for_the_client() -> None:
    with listening("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        connection, _ = server.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
