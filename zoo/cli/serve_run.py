"""Runs `zoo serve`: loads the models, prints their address, and serves until a signal."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import zoo.serve
from zoo.cli import interrupt, output, stderr
from zoo.detectors import load
from zoo.errors import UsageError, ZooError
from zoo.serve import log
from zoo.serve.options import Options, is_loopback
from zoo.text import pluralize


def run(  # noqa: PLR0913 - one parameter an option
    names: Sequence[str],
    *,
    host: str,
    port: int,
    options: Options,
    weights: bool | str = True,
    device: str | None = None,
    engine: str | None = None,
    token_file: Path | None = None,
    quiet: bool = False,
) -> None:
    """Serves models by name until SIGTERM or Ctrl-C.

    token_file: the file of the tokens in `options`, for the example request.

    Raises: as `zoo.load`; UsageError if the port can't be opened.
    """
    server_class = zoo.serve.Server  # raises MissingExtra before models are loaded
    if weights is not True and len(names) > 1:
        raise UsageError(
            "--weights was given for several models.",
            "It is for one: they can't share weights.",
            "Name each with its tag, as in yolox_nano.coco",
        )
    models = [load(name, weights=weights, device=device, engine=engine) for name in names]
    for model in models:
        if model.weights is None:
            stderr.warning(f"{model.name} has random weights: what it sees means nothing.")
    server = server_class(models, host=host, port=port, options=options)
    _print_address(server.url, [str(model.name) for model in models], host, options, token_file)
    log.write_to(logging.StreamHandler(sys.stderr), quiet=quiet)
    with interrupt.left_to_others():
        finished = server.run()
    if not finished:
        raise ZooError(
            "The server has ended.",
            "Some requests that it had accepted were not answered in time.",
            "The log names those that were; send the others again.",
        )
    output.line("The server has ended; every accepted request was answered.", err=True)


def _print_address(
    url: str, names: Sequence[str], host: str, options: Options, token_file: Path | None
) -> None:
    if not is_loopback(host) and not options.tokens:
        stderr.warning(
            f"Anyone who can reach {host} can use this server: it listens beyond this machine, and "
            "requires no token. Give --token-file FILE, or let a proxy check tokens."
        )
    output.line(f"Serving {pluralize(len(names), 'model')} at {url}: {', '.join(names)}")
    token = ""
    if token_file is not None:
        first = f"grep -m1 '^[^#]' {shlex.quote(str(token_file))}"
        token = f' -H "Authorization: Bearer $({first})"'
    output.line(f"  curl{token} -F image=@street.jpg {url}/v1/detect")
    output.flush()
