"""How many requests a second `zoo serve` answers and how long they take, beside a plain FastAPI
endpoint around the same model, and beside `detect` in one process, in batches.

YOLOX-Nano by ONNX Runtime; each request brings one JPEG file of ../shared/data, or a generated one.
Both servers are processes of their own; clients are threads of this one, each with a connection
that is kept, and send the next request once the last is answered. At half load requests come at
half of the rate that `zoo serve` reached with the most clients, whether those before are answered
or not, and their time counts from when they were due. Rounds alternate. `CPU ms` is the processor
time that a request took the server, which says more than the clock where others use the machine.

    python benchmarks/serve.py [--clients 1 8 64] [--requests 256] [--rounds 3] [--threads 2]
        [--max-batch 1 4] [--onnx FILE, exported before] [--json OUT]

The plain endpoint decodes and detects image by image on FastAPI's threads.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: its idle threads sleep

import argparse
import itertools
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import torch
import uvicorn
from engines import graph, jpeg_files
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from table import report

import zoo
from zoo.detections.convert.json import object_of
from zoo.detectors.detector import BasePredictor
from zoo.inference.batch_limit import BatchSize

SECONDS_TO_START = 120.0
PATH = "/v1/detect"


@dataclass
class Taken:
    """Requests a second of each round, seconds of every request, and processor seconds that one
    took the server in each round."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> str:
        """Milliseconds within which that share of the requests was answered."""
        ordered = sorted(self.seconds)
        return f"{1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]:.0f}"


def plain(file: str, port: int) -> None:
    """Serves one model without batches."""
    model = zoo.load(f"file:{file}", engine="onnxruntime")
    app = FastAPI()

    def answered(body: bytes) -> Response:
        record = object_of(model.detect(body), model=model.name, weights_sha256=None)
        return Response(json.dumps(record), media_type="application/json")

    @app.post(PATH)
    async def detect(request: Request) -> Response:
        return await run_in_threadpool(answered, await request.body())

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def answers(connection: HTTPConnection, body: bytes) -> None:
    """Sends an image and reads the answer. Raises: SystemExit for one that is no 200."""
    connection.request("POST", PATH, body, {"Content-Type": "image/jpeg"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"A request was answered {answer.status}: {text[:500]!r}")


@dataclass(frozen=True)
class Place:
    """A server in a process of its own."""

    port: int
    process: int

    def work(self) -> float:
        """Seconds that processors have worked for it."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: Sequence[str], port: int, threads: int, body: bytes) -> Iterator[Place]:
    """A server in a process of its own, once it has answered a request."""
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    until = time.monotonic() + SECONDS_TO_START
    try:
        while True:
            try:
                answers(HTTPConnection("127.0.0.1", port, timeout=60), body)
                break
            except ConnectionError:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"It did not start: {' '.join(command)}") from None
                time.sleep(0.2)
        yield Place(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def load(
    place: Place,
    bodies: Sequence[bytes],
    clients: int,
    count: int,
    taken: Taken,
    every: float = 0.0,
) -> None:
    """Sends `count` requests by that many clients; every: seconds between two that are due, else
    each client sends its next at once."""
    numbers = itertools.count()
    begun, worked = time.perf_counter(), place.work()

    def client(_: int) -> None:
        connection = HTTPConnection("127.0.0.1", place.port, timeout=120)
        while (number := next(numbers)) < count:
            due = begun + number * every if every else time.perf_counter()
            time.sleep(max(0.0, due - time.perf_counter()))
            answers(connection, bodies[number % len(bodies)])
            taken.seconds.append(time.perf_counter() - due)
        connection.close()

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    taken.work.append((place.work() - worked) / count)
    taken.rates.append(count / (time.perf_counter() - begun))


def in_process(
    model: BasePredictor,
    bodies: Sequence[bytes],
    count: int,
    taken: Taken,
    batch: BatchSize = "auto",
) -> None:
    """Detects in as many images with one call."""
    begun, worked = time.perf_counter(), time.process_time()
    images = [bodies[number % len(bodies)] for number in range(count)]
    model.detect(images, batch_size=batch)
    taken.work.append((time.process_time() - worked) / count)
    taken.rates.append(count / (time.perf_counter() - begun))


def measured(
    file: str, places: dict[str, Place], bodies: Sequence[bytes], asked: argparse.Namespace
) -> list[dict[str, str]]:
    model = zoo.load(f"file:{file}", engine="onnxruntime")
    whole, single = Taken(), Taken()
    halves = {name: Taken() for name in ("zoo serve", "plain FastAPI")}
    ways = {(name, clients): Taken() for clients in asked.clients for name in places}
    in_process(model, bodies, min(asked.requests, 32), Taken())
    for number in range(asked.rounds):
        in_process(model, bodies, asked.requests, whole)
        in_process(model, bodies, asked.requests, single, 1)
        for (name, clients), taken in list(ways.items())[:: -1 if number % 2 else 1]:
            load(places[name], bodies, clients, asked.requests, taken)
    most = statistics.median(ways["zoo serve", max(asked.clients)].rates)
    for _ in range(asked.rounds):
        for name, half in halves.items():
            load(places[name], bodies, 64, asked.requests, half, every=2 / most)
    table = [row("detect, in this process", "", whole, whole)]
    table += [row("detect, batch_size=1", "", single, whole)]
    table += [row(name, str(clients), taken, whole) for (name, clients), taken in ways.items()]
    return table + [row(name, "half load", half, whole) for name, half in halves.items()]


def row(name: str, clients: str, taken: Taken, whole: Taken) -> dict[str, str]:
    quantiles = {"p50 ms": 0.5, "p95 ms": 0.95, "p99 ms": 0.99}
    share = statistics.median(taken.rates) / statistics.median(whole.rates)
    if len(taken.rates) == len(whole.rates):
        pairs = zip(taken.rates, whole.rates, strict=True)
        share = statistics.median(ours / theirs for ours, theirs in pairs)
    return {
        "server": name,
        "clients": clients,
        "requests/s": f"{statistics.median(taken.rates):.1f}",
        "of detect": f"{share:.2f}",
        "CPU ms": f"{1000 * statistics.median(taken.work):.1f}",
        **{
            label: taken.quantile(quantile) if taken.seconds else ""
            for label, quantile in quantiles.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--requests", type=int, default=256, help="of each way in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-batch", type=int, nargs="*", default=[1, 4], help="of more servers")
    parser.add_argument("--onnx", help="an exported YOLOX-Nano; else it is exported first")
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json")
    asked = parser.parse_args()
    if asked.plain:
        plain(asked.onnx, asked.plain)
        return
    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        file = graph(folder, asked.onnx)
        bodies = [path.read_bytes() for path in jpeg_files(Path(folder), 128)]
        ports = [free_port() for _ in range(2 + len(asked.max_batch))]
        python = [sys.executable]
        zoo_serve = [*python, "-m", "zoo", "serve", f"file:{file}", "--quiet", "--port"]
        commands = {
            "zoo serve": [*zoo_serve, str(ports[0])],
            "plain FastAPI": [*python, __file__, "--plain", str(ports[1]), "--onnx", file],
        }
        for most, port in zip(asked.max_batch, ports[2:], strict=True):
            command = [*zoo_serve, str(port), "--max-batch", str(most)]
            commands[f"zoo serve --max-batch {most}"] = command
        with ExitStack() as servers:
            places = {
                name: servers.enter_context(running(command, port, asked.threads, bodies[0]))
                for (name, command), port in zip(commands.items(), ports, strict=True)
            }
            table = measured(file, places, bodies, asked)
    report(
        f"A JPEG file a request: YOLOX-Nano, ONNX Runtime, {asked.threads} threads",
        table,
        distributions=("torch", "onnxruntime", "fastapi", "uvicorn"),
        notes=["of detect: requests a second to images a second of the first row."],
        to=asked.json,
    )


if __name__ == "__main__":
    main()
