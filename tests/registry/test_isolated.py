"""Each plugin in a process of its own: those that hang, crash or leave are named, and the rest are
asked."""

import json
import sys
from collections.abc import Callable

import pytest

from zoo.cli.app import main
from zoo.registry.isolated import ask_each

Give = Callable[..., None]
FAULTS = {
    "endless": ("while True: pass", "quarantined", "its import did not end within 5 s."),
    "crashing": (
        "import os\nos.abort()",
        "quarantined",
        "its import ended the process with the signal SIGABRT.",
    ),
    "leaving": ("import os\nos._exit(0)", "quarantined", "its import called os._exit(0)."),
    "raising": (
        "1 / 0",
        "quarantined",
        "its import failed with ZeroDivisionError: division by zero",
    ),
    "printing": (
        "print('ready')",
        "loaded",
        "prints at import; that goes to standard error: 'ready'",
    ),
    "failing": (
        "import atexit\natexit.register(lambda: 1 / 0)",
        "loaded",
        "raised ZeroDivisionError: division by zero at exit.",
    ),
    "lasting": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=[600]).start()",
        "loaded",
        "keeps its process from ending: 5 s after the start it was still there.",
    ),
    "exec": (
        "import os, sys\nos.execv('/bin/sh', ['sh', '-c', 'exit 3'])",
        "quarantined",
        "ended the process with the exit code 3.",
    ),
}


@pytest.mark.slow
def test_every_fault_is_named_and_everything_else_is_asked(give_plugin: Give) -> None:
    for name, (source, _, _) in FAULTS.items():
        give_plugin(name, source)
    infos = {info.name: info for info in ask_each(limit=5.0)}
    for name, (_, status, told) in FAULTS.items():
        assert infos[name].status == status, infos[name]
        assert told in " ".join([infos[name].reason, *infos[name].remarks])
        assert (infos[name].distribution, infos[name].version) == (f"detzoo-{name}", "1.0")
    assert infos["torchvision"].status == "loaded"
    assert infos["torchvision"].contributes["architectures"] == 12


def test_a_plugin_that_works_is_as_it_is_in_this_process(
    give_plugin: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plugin("acme", "", version="2.5")
    monkeypatch.setenv("ZOO_PLUGINS", "acme")
    infos = {info.name: info for info in ask_each(limit=60.0)}
    acme = infos.pop("acme")
    assert (acme.version, acme.status, acme.reason) == ("2.5", "loaded", "")
    assert [remark.split(":")[0] for remark in acme.remarks] == ["brings nothing"]
    assert {info.status for info in infos.values()} == {"switched off"}


def test_a_crash_is_named_in_json(
    give_plugin: Give, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_plugin("crashing", "import os\nos.abort()")
    monkeypatch.setenv("ZOO_PLUGINS", "crashing")
    monkeypatch.setattr(sys, "argv", ["zoo", "plugins", "--isolated", "--json"])
    main()
    [info] = [one for one in json.loads(capsys.readouterr().out) if one["name"] == "crashing"]
    assert info["status"] == "quarantined"
    assert info["reason"] == "its import ended the process with the signal SIGABRT."
