"""`zoo plugins new`: what it writes is a distribution that builds, installs and passes its own
tests."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from zoo.cli.commands.new_plugin import plugin_files

Shell = Callable[..., Any]


PROJECT = {
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".gitignore",
    ".github/workflows/tests.yml",
    "tests/test_conformance.py",
}
KINDS: dict[str, tuple[list[str], str]] = {
    "backbone": ([], "network.py"),
    "detector": (["--detector"], "detector.py"),
}


@pytest.fixture(params=KINDS)
def made(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """A new plugin, `street-signs`."""
    monkeypatch.chdir(tmp_path)
    answer = shell("plugins", "new", "street-signs", *KINDS[request.param][0])
    assert answer.code == 0, answer.err
    assert "zoo check street_signs_small" in answer.out
    return tmp_path / "detzoo-street-signs"


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_a_distribution(shell: Shell, tmp_path: Path, kind: str) -> None:
    options, network = KINDS[kind]
    assert shell("plugins", "new", "acme", "--to", str(tmp_path / "new"), *options).code == 0
    written = {
        str(path.relative_to(tmp_path / "new"))
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    }
    assert written == PROJECT | {
        f"detzoo_acme/{file}" for file in ("__init__.py", "cards.yaml", network)
    }


@pytest.mark.parametrize("name", ["none", "true", "null", "class-layer", "thresholds", "compose"])
@pytest.mark.parametrize("kind", KINDS)
def test_names_that_mean_something_in_python_or_yaml_are_names(name: str, kind: str) -> None:
    files = plugin_files(name, detector=kind == "detector")
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    [cards] = [text for path, text in files.items() if path.endswith("cards.yaml")]
    [card] = yaml.safe_load(cards)["cards"].values()
    assert isinstance(card["family"], str)
    assert card["architecture"] in (f"{name}/{name.replace('-', '_')}", "compose", "zoo/compose")
    assert "class Thresholds(" not in "".join(files.values())


def test_the_workflow_is_valid_and_runs_the_tests_of_the_plugin(made: Path) -> None:
    workflow = yaml.safe_load((made / ".github" / "workflows" / "tests.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["tests"]["steps"]]
    assert "python -m pytest" in steps
    assert any("zoo check street_signs_small" in step for step in steps)
    assert "${{ matrix.python }}" in (made / ".github" / "workflows" / "tests.yml").read_text()


def test_it_is_licensed_like_the_zoo(made: Path) -> None:
    assert (made / "LICENSE").read_text() == (Path(__file__).parents[3] / "LICENSE").read_text()
    assert "actions/workflows/tests.yml/badge.svg" in (made / "README.md").read_text()


def test_no_word_of_the_template_is_left_open(made: Path) -> None:
    for path in made.rglob("*.*"):
        if path.is_file():
            for word in ("{name}", "{package}", "{model}", "{title}", "{identifier}"):
                assert word not in path.read_text()


def test_the_hooks_are_a_dozen_lines(made: Path) -> None:
    assert 10 <= len((made / "detzoo_street_signs" / "__init__.py").read_text().splitlines()) <= 16


def test_the_comments_in_its_readme_are_aligned(made: Path) -> None:
    commented = [line for line in (made / "README.md").read_text().splitlines() if "  # " in line]
    assert len(commented) > 1
    assert len({line.index("# ") for line in commented}) == 1


@pytest.fixture
def python(tmp_path: Path) -> str:
    """The Python of a new environment, which sees what this one sees."""
    venv.create(tmp_path / "env")
    [site] = (tmp_path / "env").glob("lib/python*/site-packages")
    own = sysconfig.get_path("stdlib")
    seen = [
        path
        for path in sys.path
        if os.path.isdir(path) and ("site-packages" in path or not path.startswith(own))
    ]
    (site / "here.pth").write_text("\n".join(map(os.path.abspath, seen)))
    return str(tmp_path / "env" / "bin" / "python")


@pytest.mark.slow
def test_it_builds_installs_is_listed_and_passes_its_own_tests(made: Path, python: str) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    editable = ["--no-index", "--no-deps", "--no-build-isolation", "--editable", str(made)]
    subprocess.run([*pip, *editable], check=True)

    def run(*words: str) -> str:
        done = subprocess.run([python, "-m", *words], cwd=made, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    listed = next(
        line for line in run("zoo", "plugins").splitlines() if "detzoo-street-signs" in line
    )
    assert listed.split()[1:5] == ["loaded", "1", "detzoo-street-signs", "0.1.0"]
    assert "street-signs/street_signs_small" in run("zoo", "show", "street_signs_small")
    assert " failed" not in run("pytest", "-q", "-p", "no:cacheprovider")
    assert "FAILED" not in run("zoo", "check", "street_signs_small", "--set", "input.size=[64, 64]")


def test_a_folder_that_is_there_is_left_alone(shell: Shell, made: Path) -> None:
    (made / "README.md").write_text("mine")
    answer = shell("plugins", "new", "street-signs")
    assert answer.code == 2
    assert "That is there already" in answer.err
    assert (made / "README.md").read_text() == "mine"


def test_a_folder_with_a_repository_and_an_environment_in_it_is_as_good_as_empty(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "mine" / ".git").mkdir(parents=True)
    (tmp_path / "mine" / "venv").mkdir()
    (tmp_path / "mine" / "venv" / "pyvenv.cfg").touch()
    assert shell("plugins", "new", "acme", "--to", str(tmp_path / "mine")).code == 0


def test_another_folder_may_be_named(shell: Shell, tmp_path: Path) -> None:
    assert shell("plugins", "new", "acme", "--to", str(tmp_path / "a" / "b")).code == 0
    assert (tmp_path / "a" / "b" / "detzoo_acme" / "__init__.py").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Acme", "lower-case"),
        ("core", "not 'core' or 'user'"),
        ("a/b", "lower-case"),
        ("../up", "lower-case"),
        ("1st", "begin with a letter"),
        ("a-", "begin with a letter"),
        ("yolox", "has a plugin of that name"),
    ],
)
def test_a_name_that_no_plugin_can_have_is_refused(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = shell("plugins", "new", name)
    assert answer.code == 2
    assert why in answer.err
    assert list(tmp_path.iterdir()) == []
