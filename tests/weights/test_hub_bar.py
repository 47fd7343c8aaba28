"""A bar for downloads is shown on a terminal, and nowhere else."""

import os
import subprocess
import sys
from contextlib import suppress

import pytest

import zoo.weights
from zoo.registry.card import HubSource, UrlSource, Weights
from zoo.testing import Fault, LoopbackHub
from zoo.weights.hub_bar import hub_bar
from zoo.weights.url import Url


def test_no_terminal_no_bar(
    capfd: pytest.CaptureFixture[str], hub: LoopbackHub, weights: bytes
) -> None:
    url = hub.add_file("model.safetensors", weights)
    Url(url, url).download(progress=None)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["hub", "url"])
def test_a_bar_that_was_asked_for_names_the_file_on_stderr(
    kind: str, capfd: pytest.CaptureFixture[str], hub: LoopbackHub, weights: bytes
) -> None:
    by_hub = HubSource(repo="org/net", revision=hub.add("org/net", {"model.safetensors": weights}))
    by_url = UrlSource(url=hub.add_file("model.safetensors", weights))
    zoo.weights.fetch(
        Weights(files={"model": [by_hub if kind == "hub" else by_url]}), name="a/net", progress=True
    )
    out, err = capfd.readouterr()
    assert out == ""
    assert "model.safetensors" in err
    assert "kB" in err


def test_the_bar_does_what_the_hubs_client_and_its_xet_reporter_ask_of_it() -> None:
    from huggingface_hub.utils._xet_progress_reporting import XetDownloadProgressReporter

    with XetDownloadProgressReporter(
        reconstruction_desc="net", total=10, log_level=20, tqdm_class=hub_bar(False)
    ) as reporter:
        report = type(
            "Report",
            (),
            {"total_bytes": 10, "total_bytes_completed": 4, "total_transfer_bytes_completed": 3},
        )()
        report.total_bytes_completion_rate = report.total_transfer_bytes_completion_rate = 1.0
        reporter.update_progress(report)
        assert reporter.reconstruction_bar.n == 4


def test_a_wait_is_told_on_the_bar(hub: LoopbackHub, weights: bytes) -> None:
    code = (
        "import sys; from zoo.weights.url import Url; Url(sys.argv[1], "
        "sys.argv[1]).download(progress=None)"
    )
    url = hub.add_file("model.safetensors", weights)
    hub.misbehave("*", Fault.status(503))
    leader, follower = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code, url],
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    ):
        os.close(follower)
        shown = b""
        with suppress(OSError):  # the end, once the child has closed its terminal
            while piece := os.read(leader, 1 << 16):
                shown += piece
    os.close(leader)
    assert b"503 Service Unavailable" in shown
