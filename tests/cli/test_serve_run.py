"""What `zoo serve` says before it serves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from zoo.cli.serve_run import run
from zoo.errors import NameNotFound
from zoo.serve import Options, Server

OPTIONS = Options()


@pytest.mark.parametrize(
    ("host", "options", "warned"),
    [
        ("127.0.0.1", OPTIONS, False),
        ("0.0.0.0", OPTIONS, True),
        ("0.0.0.0", Options(tokens=("x" * 16,)), False),
    ],
)
def test_a_server_for_everybody_without_a_token_is_warned_of(
    host: str,
    options: Options,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ended(server: Server) -> bool:
        server.stop()
        with ThreadPoolExecutor(1) as threads:  # a browser of other tests runs a loop in this one
            return threads.submit(Server_run, server).result()

    Server_run = Server.run
    monkeypatch.setattr(Server, "run", ended)
    run(["yolox_pico"], host=host, port=0, options=options, quiet=True)
    out, err = capsys.readouterr()
    assert out.startswith("Serving 1 model at http://")
    assert ("asks for no token" in err) is warned
    assert "every accepted request was answered" in err
    assert ("Authorization" in out) is bool(options.tokens)


def test_models_run_by_the_engine_that_is_named() -> None:
    with pytest.raises(NameNotFound, match="onnxruntim"):
        run(["yolox_pico"], host="127.0.0.1", port=0, options=OPTIONS, engine="onnxruntim")
