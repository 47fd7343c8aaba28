"""What `zoo serve` says before it serves."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zoo.cli.serve_run import run
from zoo.errors import NameNotFound
from zoo.serve import Options, Server
from zoo.serve.options import tokens_of

OPTIONS = Options()


@pytest.mark.parametrize(
    ("host", "token", "warned"),
    [("127.0.0.1", None, False), ("0.0.0.0", None, True), ("0.0.0.0", "x" * 16, False)],
)
def test_a_server_for_everybody_without_a_token_is_warned_of(
    host: str,
    token: str | None,
    warned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ended(server: Server) -> bool:
        server.stop()
        with ThreadPoolExecutor(1) as threads:  # a browser of other tests runs a loop in this one
            return threads.submit(Server_run, server).result()

    Server_run = Server.run
    monkeypatch.setattr(Server, "run", ended)
    file = tmp_path / "tokens of today"
    file.write_text(f"# the new one\n{token}\nanother-of-16-characters\n")
    options = Options(tokens=tokens_of(file) if token else ())
    given = file if token else None
    run(["yolox_pico"], host=host, port=0, options=options, token_file=given, quiet=True)
    out, err = capsys.readouterr()
    assert out.startswith("Serving 1 model at http://")
    assert ("requires no token" in err) is warned
    assert "every accepted request was answered" in err
    if token is None:
        assert "Authorization" not in out
        return
    header = re.search(r'-H ("Authorization: .*?\)")', out)
    assert header is not None
    assert sent_by_shell(header[1]) == f"Authorization: Bearer {token}"


def sent_by_shell(word: str) -> str:
    """The word as a shell gives it to a program."""
    made = subprocess.run(["sh", "-c", f"printf %s {word}"], capture_output=True, check=True)
    return made.stdout.decode()


def test_models_run_by_the_engine_that_is_named() -> None:
    with pytest.raises(NameNotFound, match="onnxruntim"):
        run(["yolox_pico"], host="127.0.0.1", port=0, options=OPTIONS, engine="onnxruntim")
