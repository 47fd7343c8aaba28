"""`zoo plugins`, and a plugin that is a distribution of its own, installed by pip."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

Shell = Callable[..., Any]

PROJECT = """
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "detzoo-acme"
    version = "2.5"

    [project.entry-points.detzoo]
    acme = "detzoo_acme"
"""
MODULE = '''
    """A detector of our own."""

    from pathlib import Path

    from zoo import hookimpl


    @hookimpl
    def register_cards(register):
        register(Path(__file__).parent / "cards.yaml")


    @hookimpl
    def register_architectures(register):
        register("net", "detzoo_acme.network:build")


    @hookimpl
    def register_backbones(register):
        register("*", "detzoo_acme.network:any_backbone")
'''
CARDS = """
    schema: 2
    aliases: {acme: acme_nano}
    cards:
      acme_nano:
        architecture: net
        labels: [helmet, vest]
        weights:
          site: {files: {model: [{kind: package, package: detzoo_acme, file: nano.safetensors}]}}
"""
NETWORK = """
    def build(*, label_space, **arguments):
        return f"a net for {label_space}"


    def any_backbone(name, *, strides):
        return f"{name} at {strides}"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed detzoo-acme 2.5 into."""
    project, site = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    package = project / "detzoo_acme"
    package.mkdir()
    files = {
        "pyproject.toml": PROJECT,
        "detzoo_acme/__init__.py": MODULE,
        "detzoo_acme/cards.yaml": CARDS,
        "detzoo_acme/network.py": NETWORK,
    }
    for name, text in files.items():
        (project / name).write_text(dedent(text))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-build-isolation",
        "--no-deps",
    ]
    subprocess.run([*pip, "--target", str(site), str(project)], check=True)
    return site


@pytest.fixture
def zoo(installed: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `zoo`, or Python code, in a process that sees detzoo-acme."""

    def run(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "zoo", *words]
        return subprocess.run(
            command, env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True
        )

    return run


def test_an_installed_plugin_is_listed_like_a_bundled_one(zoo: Callable[..., Any]) -> None:
    done = zoo("plugins", "--json")
    assert done.returncode == 0, done.stderr
    infos = {info["name"]: info for info in json.loads(done.stdout)}
    acme = infos["acme"]
    assert acme.pop("seconds") > 0
    assert acme == {
        "name": "acme",
        "distribution": "detzoo-acme",
        "version": "2.5",
        "entry": "detzoo_acme",
        "status": "loaded",
        "reason": "",
        "contributes": {"cards": 1, "architectures": 1, "backbones": 1},
        "imports_torch": False,
        "remarks": [],
        "models": 1,
    }
    assert infos["torchvision"]["status"] == "loaded"


def test_a_model_of_an_installed_plugin_is_listed_and_shown(zoo: Callable[..., Any]) -> None:
    assert "2 classes  acme" in zoo("list", "acme*").stdout
    page = zoo("show", "acme").stdout
    assert "acme/acme_nano" in page
    assert "package detzoo_acme: nano.safetensors" in page


def test_its_builders_are_imported_when_they_are_asked_for(zoo: Callable[..., Any]) -> None:
    code = """if True:
        import sys, zoo
        known = zoo.catalogue()
        assert "detzoo_acme.network" not in sys.modules
        print(known.builder("architectures", "net", plugin="acme")(label_space="two classes"))
        print(known.builder("backbones", "acme/resnet18")(strides=(8, 16)))
        print(known.parts("backbones"))
    """
    done = zoo(code=code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["a net for two classes", "resnet18 at (8, 16)"]
    assert "'acme/*'" in done.stdout


def test_a_broken_plugin_is_shown_with_its_reason_and_warned_of_elsewhere(
    shell: Shell, give_plugin: Callable[..., None], tmp_path: Path
) -> None:
    give_plugin("broken", "import not_there_at_all", version="0.9")
    file = tmp_path / "site" / "detzoo_broken.py"
    answer = shell("plugins")
    assert answer.code == 0
    assert answer.err == ""
    assert "broken       quarantined       –  detzoo-broken  0.9      –" in answer.out
    assert (
        "broken: its import failed with ModuleNotFoundError: No module named 'not_there_at_all'"
        in answer.out
    )
    listed = shell("list")
    assert listed.code == 0
    assert "fasterrcnn_resnet50_fpn" in listed.out
    assert listed.err == (
        "Warning: Skipped plugin 'broken' of detzoo-broken 0.9 (detzoo_broken): "
        "its import failed with ModuleNotFoundError: No module named 'not_there_at_all' "
        f"({file}, line 1)\n"
    )


def test_what_a_plugin_brings_is_counted(shell: Shell) -> None:
    answer = shell("plugins")
    [line] = [line for line in answer.out.splitlines() if line.startswith("torchvision")]
    assert line.split()[:5] == ["torchvision", "loaded", "12", "detzoo", shared_version()]
    assert "12 architectures" in line


def shared_version() -> str:
    import zoo

    return zoo.__version__


def test_plugins_that_are_switched_off_are_shown_as_such(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_PLUGINS", "yolox")
    status = {info["name"]: info["status"] for info in json.loads(shell("plugins", "--json").out)}
    assert (status["yolox"], status["torchvision"]) == ("loaded", "switched off")


def test_an_unknown_name_in_the_setting_is_warned_of(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_PLUGINS", "yolx")
    assert shell("plugins").err.startswith("Warning: ZOO_PLUGINS names 'yolx'")


BEHAVIOUR = {
    "chatty": "print('chatty 1.0 ready')",
    "closing": "import sys\nsys.stdout.close()",
    "lasting": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=[600], "
        "name='busy').start()"
    ),
    "failing": "import atexit\natexit.register(lambda: 1 / 0)",
    "sleepy": "import time\ntime.sleep(0.6)",
}


def test_json_is_whole_and_the_exit_code_right_whatever_plugins_do(
    give_plugin: Callable[..., None], tmp_path: Path
) -> None:
    for name, source in BEHAVIOUR.items():
        give_plugin(name, source)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "zoo", "list", "yolox_nano", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [model["name"] for model in json.loads(done.stdout)] == ["yolox_nano"]
    assert "Warning: The plugin 'chatty' of detzoo-chatty 1.0 prints at import;" in done.stderr
    assert (
        "The plugin 'closing' of detzoo-closing 1.0 closes or replaces a standard stream"
        in done.stderr
    )
    assert "The plugin 'sleepy' of detzoo-sleepy 1.0 is slow: importing it took 0." in done.stderr
    assert (
        "The plugin 'lasting' of detzoo-lasting 1.0 has left the thread 'busy' running; it is not "
        "waited for." in done.stderr
    )
    assert (
        "The plugin 'failing' of detzoo-failing 1.0 raised ZeroDivisionError: division by zero at "
        "exit." in done.stderr
    )
    assert "Traceback" not in done.stderr


def interrupted(words: list[str], site: Path, *, once: Path) -> str:
    """What a command says that is interrupted as soon as a file is there; no plugin keeps it from
    ending."""
    command = [sys.executable, "-m", "zoo", *words]
    environment = os.environ | {"PYTHONPATH": str(site)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not once.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    return said


DEAF = "while True:\n  try:\n    import time; time.sleep(1)\n  except BaseException:\n    pass"


@pytest.mark.parametrize(
    ("words", "source"),
    [
        (["list"], "while True: pass"),
        (["pull", "yolox_nano"], "while True: pass"),
        (["list"], DEAF),
    ],
)
def test_an_interrupt_names_the_plugin_that_hangs(
    give_plugin: Callable[..., None], tmp_path: Path, words: list[str], source: str
) -> None:
    begun = tmp_path / "begun"
    give_plugin("endless", f"open({str(begun)!r}, 'w')\n{source}")
    said = interrupted(words, tmp_path / "site", once=begun)
    assert "Interrupted in the plugin 'endless' of detzoo-endless 1.0, at import." in said


ENDLESS = """
    from zoo import hookimpl

    def build(*, label_space, depth=1):
        open({begun!r}, "w")
        while True:
            try:
                depth += 1
            except {caught}:
                pass

    @hookimpl
    def register_architectures(register):
        register("net", build)

    @hookimpl
    def register_cards(register):
        card = {{"architecture": "net", "labels": ["a"]}}
        register({{"schema": 2, "cards": {{"endless_s": card}}}})
"""


@pytest.mark.slow
@pytest.mark.parametrize("caught", ["ValueError", "BaseException"])
@pytest.mark.parametrize(
    "words",
    [["detect", "c.png", "--model", "endless_s", "--weights", "random"], ["check", "endless_s"]],
)
def test_an_interrupt_ends_a_builder_that_makes_nothing_and_never_ends(
    give_plugin: Callable[..., None], tmp_path: Path, words: list[str], caught: str
) -> None:
    begun = tmp_path / "begun"
    give_plugin("endless", dedent(ENDLESS).format(begun=str(begun), caught=caught))
    said = interrupted(words, tmp_path / "site", once=begun)
    assert "Interrupted in the plugin 'endless' of detzoo-endless 1.0, when it builds" in said
    assert "report it to detzoo-endless 1.0" in said


def test_a_limit_that_is_none_is_refused(shell: Shell) -> None:
    for limit in ("soon", "0", "nan", "inf"):
        answer = shell("plugins", "--isolated", "--limit", limit)
        assert answer.code == 2
        assert "not a number of seconds above 0" in answer.err
