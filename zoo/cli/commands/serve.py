"""`zoo serve`: serves detections over HTTP until a signal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Device, Engine, Weights, check_names, weights_of

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME",
        help="Models to serve; requests mean the first unless they name one.",
        show_default=False,
    ),
]
Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 is every address.")
]
Port = Annotated[
    int,
    typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 picks a free one."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Bearer tokens, one a line, of which requests need one."),
]
MaxBatch = Annotated[
    int, typer.Option(metavar="COUNT", min=1, help="At most this many images run together.")
]
MaxWait = Annotated[
    float,
    typer.Option(
        "--max-wait-ms",
        metavar="MS",
        min=0,
        help="How long an image waits for others that are on their way.",
    ),
]
Queue = Annotated[
    int,
    typer.Option(
        metavar="COUNT", min=1, help="Requests that may wait; one more is told to come again."
    ),
]
MaxMegabytes = Annotated[float, typer.Option(metavar="MB", help="The largest body of a request.")]
Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", help="From a whole request to its answer.")
]
Receive = Annotated[
    float,
    typer.Option("--receive-timeout", metavar="SECONDS", help="For a request to arrive."),
]
AllowUrls = Annotated[
    bool,
    typer.Option(
        "--allow-urls", help="Fetch images by URL, from public addresses; else only what is sent."
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=NUMBER",
        help="What an image may cost: pixels, memory, seconds, download. pixels=50M",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Log only what goes wrong.")]


def serve(  # noqa: PLR0913 - one parameter an option
    names: Names,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token_file: TokenFile = None,
    weights: Weights = None,
    device: Device = None,
    engine: Engine = None,
    max_batch: MaxBatch = 8,
    max_wait: MaxWait = 5.0,
    queue: Queue = 128,
    max_megabytes: MaxMegabytes = 32.0,
    timeout: Timeout = 30.0,
    receive: Receive = 15.0,
    allow_urls: AllowUrls = False,
    limit: Limit = None,
    quiet: Quiet = False,
) -> None:
    """Serve detections over HTTP: POST an image to /v1/detect; / is a page to drop one on.

    It listens on this machine only unless --host says otherwise. SIGTERM or Ctrl-C ends it after
    every accepted request is answered. Standard error has a line of JSON a request.
    """
    check_names(names)
    from zoo.cli.serve_run import run  # deferred: it imports torch, which help does not need
    from zoo.images import Limits
    from zoo.serve.options import Options, tokens_of

    options = Options(
        max_batch=max_batch,
        max_wait_ms=max_wait,
        queue=queue,
        max_megabytes=max_megabytes,
        timeout=timeout,
        receive=receive,
        allow_urls=allow_urls,
        tokens=tokens_of(token_file) if token_file else (),
        limits=Limits.in_force().changed(limit or []),
    )
    run(
        names,
        host=host,
        port=port,
        options=options,
        weights=weights_of(weights),
        device=device,
        engine=engine,
        token_file=token_file,
        quiet=quiet,
    )
