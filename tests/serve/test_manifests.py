"""Files of the how-to: they parse, ask for what the server has, and use options that there are."""

from __future__ import annotations

import configparser
import json
import shlex
from pathlib import Path

import yaml
from typer.main import get_command

from zoo.cli.app import app

FILES = Path(__file__).parent.parent.parent / "docs" / "howto" / "serve"
STATES = {"/healthz", "/readyz"}


def check_command(words: list[str]) -> None:
    """The words are a call of `zoo serve` that parses."""
    program, command, *arguments = words
    assert (Path(program).name, command) == ("zoo", "serve")
    group = get_command(app(["serve"]))
    found = group.get_command(None, "serve")  # type: ignore[attr-defined,arg-type]
    context = found.make_context("serve", arguments)
    assert context.params["names"] == ["yolox_nano"]


def test_the_dockerfile() -> None:
    text = (FILES / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    steps = {line.split()[0]: line.partition(" ")[2] for line in lines}
    assert lines[0].startswith("FROM python:")
    check_command(json.loads(steps["CMD"]))
    assert "/healthz" in json.loads(steps["HEALTHCHECK"].removeprefix("CMD "))[2]
    assert (steps["USER"], steps["STOPSIGNAL"]) == ("zoo", "SIGTERM")


def test_the_unit() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FILES / "zoo-serve.service")
    check_command(shlex.split(unit["Service"]["ExecStart"]))
    assert unit["Service"]["KillSignal"] == "SIGTERM"
    assert int(unit["Service"]["TimeoutStopSec"]) > 30 + 15


def test_the_manifest() -> None:
    deployment, service = yaml.safe_load_all((FILES / "kubernetes.yaml").read_text())
    pod = deployment["spec"]["template"]
    [container] = pod["spec"]["containers"]
    check_command(container["args"])
    probes = [container[name] for name in ("readinessProbe", "livenessProbe", "startupProbe")]
    assert {probe["httpGet"]["path"] for probe in probes} == STATES
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    assert deployment["spec"]["replicas"] == 2
    assert pod["spec"]["terminationGracePeriodSeconds"] > 5 + 30 + 15


def test_the_balancer_has_two_replicas_and_the_server_s_limit() -> None:
    text = (FILES / "nginx.conf").read_text()
    assert text.count("server 127.0.0.1:") == 2
    assert text.count("{") == text.count("}")
    assert "client_max_body_size 32m;" in text
