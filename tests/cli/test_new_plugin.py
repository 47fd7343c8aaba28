"""`zoo plugins new`: what it writes is a distribution that builds, installs and passes its own tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., Any]


@pytest.fixture
def made(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new plugin, `street-signs`."""
    monkeypatch.chdir(tmp_path)
    answer = shell("plugins", "new", "street-signs")
    assert answer.code == 0, answer.err
    return tmp_path / "detzoo-street-signs"


def test_it_writes_a_distribution(made: Path) -> None:
    assert {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} == {
        "pyproject.toml",
        "README.md",
        "detzoo_street_signs/__init__.py",
        "detzoo_street_signs/network.py",
        "detzoo_street_signs/cards.yaml",
        "tests/test_conformance.py",
    }


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


@pytest.mark.slow
def test_it_builds_installs_is_listed_and_passes_its_own_tests(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(site), str(made)], check=True)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=made, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    listed = next(line for line in run("zoo", "plugins").splitlines() if "detzoo-street-signs" in line)
    assert listed.split()[1:5] == ["loaded", "1", "detzoo-street-signs", "0.1.0"]
    assert "street-signs/street_signs_small" in run("zoo", "show", "street_signs_small")
    assert " failed" not in run("pytest", "-q", "-p", "no:cacheprovider")


def test_a_folder_that_is_there_is_left_alone(shell: Shell, made: Path) -> None:
    (made / "README.md").write_text("mine")
    answer = shell("plugins", "new", "street-signs")
    assert answer.code == 4
    assert "That is there already" in answer.err
    assert (made / "README.md").read_text() == "mine"


def test_a_folder_with_a_repository_and_an_environment_in_it_is_as_good_as_empty(shell: Shell, tmp_path: Path) -> None:
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
    assert answer.code == 4
    assert why in answer.err
    assert list(tmp_path.iterdir()) == []
