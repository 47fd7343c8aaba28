"""Environment variables mean what the page of settings says, and are read in one module."""

import ast
import os
import re
from pathlib import Path

import pytest

from zoo import environment
from zoo.environment import expand_home
from zoo.errors import SourceError, UsageError


@pytest.mark.parametrize("name", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
@pytest.mark.parametrize(
    ("value", "off"),
    [
        ("1", True),
        ("true", True),
        ("ON", True),
        (" 1", True),
        ("0", False),
        ("", False),
        ("no", False),
    ],
)
def test_either_switch_takes_the_network_away(
    name: str, value: str, off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert environment.offline() is off


@pytest.mark.parametrize("name", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_a_switch_that_is_neither_on_nor_off_is_never_taken_for_off(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv(name, "banana")
    with pytest.raises(
        UsageError, match=rf"{name} was read\.\n'banana' is neither on \(1, on, yes, true\) nor off"
    ):
        environment.offline()


def test_numbers_have_the_defaults_that_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZOO_TIMEOUT", "ZOO_RETRIES"):
        monkeypatch.delenv(name, raising=False)
    assert (environment.timeout(), environment.retries()) == (10, 4)


@pytest.mark.parametrize("value", ["many", "-1", "2.5", "inf"])
def test_a_number_of_retries_that_is_none_is_named(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_RETRIES", value)
    with pytest.raises(UsageError, match=f"ZOO_RETRIES(.|\n)*{value}"):
        environment.retries()


def test_mirrors_are_pairs_and_only_the_first_equals_sign_divides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZOO_MIRRORS", "hub:a/=hub:b/, https://x/=https://y/?token=1 ,")
    assert environment.mirrors() == {"hub:a/": "hub:b/", "https://x/": "https://y/?token=1"}


def test_a_mirror_without_a_replacement_is_told_how_to_write_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZOO_MIRRORS", "https://x/")
    with pytest.raises(UsageError, match="prefix=replacement"):
        environment.mirrors()


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf", "86401", "1e12"])
def test_a_timeout_that_is_no_number_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_TIMEOUT", value)
    with pytest.raises(UsageError, match=f"ZOO_TIMEOUT(.|\n)*{value}"):
        environment.timeout()


def test_the_lock_file_is_the_named_one_or_the_one_here_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_LOCK", raising=False)
    assert environment.lock_file() is None
    (tmp_path / "zoo.lock").touch()
    assert environment.lock_file() == Path("zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", "/elsewhere/zoo.lock")
    assert environment.lock_file() == Path("/elsewhere/zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", "")
    assert environment.lock_file() is None


def test_the_cache_of_the_hub_is_where_its_client_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HUGGINGFACE_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert environment.hub_cache() == tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "other"))
    assert environment.hub_cache() == tmp_path / "other"


def test_a_home_that_nobody_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_HOME", "~nosuchuser/x")
    with pytest.raises(UsageError, match=r"no home folder for '~nosuchuser/x'\.\nSet it to"):
        environment.home()
    monkeypatch.setenv("ZOO_HOME", "./~nosuchuser/x")
    assert environment.home() == Path("~nosuchuser/x")


@pytest.mark.parametrize("name", ["HF_HUB_CACHE", "HF_HOME", "ZOO_LOCK"])
def test_other_folders_of_a_user_that_there_is_not_are_ones_that_are_not_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HUGGINGFACE_HUB_CACHE", raising=False)
    monkeypatch.setenv(name, "~nosuchuser/x")
    found = environment.lock_file() if name == "ZOO_LOCK" else environment.hub_cache()
    assert found is not None
    assert not found.exists()


def test_a_bundle_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_BUNDLE", str(tmp_path / "carried"))
    with pytest.raises(SourceError, match=r"There is no such folder\.\nCorrect ZOO_BUNDLE"):
        environment.bundle_folder()


ROOT = Path(__file__).parent.parent
FOR_A_CHILD = {"zoo/testing/conformance/checks/building.py"}  # starts a process with more of them
OF_THE_SYSTEM = {"WINDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS"}
OF_LIBRARIES = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "COLUMNS", "HF_TOKEN"}
OF_LIBRARIES |= {"HF_HUB_DOWNLOAD_TIMEOUT"}


def test_no_other_module_reads_the_environment() -> None:
    readers = set[str]()
    for path in (ROOT / "zoo").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        names |= {node.name for node in nodes if isinstance(node, ast.alias)}
        if names & {"environ", "environb", "getenv", "putenv"}:
            readers.add(path.relative_to(ROOT).as_posix())
    assert readers == {"zoo/environment.py"} | FOR_A_CHILD


def test_the_page_of_settings_has_every_variable_that_is_read() -> None:
    source = (ROOT / "zoo" / "environment.py").read_text(encoding="utf-8")
    read = set(re.findall(r"\"([A-Z]+(?:_[A-Z]+)+|WINDIR)\"", source))
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|COLUMNS)`", page))
    assert described == (read - OF_THE_SYSTEM) | OF_LIBRARIES


@pytest.mark.parametrize(("value", "shown"), [("1", True), ("on", True), ("0", False), ("", False)])
def test_tracebacks_are_a_switch(value: str, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_TRACEBACK", value)
    assert environment.shows_tracebacks() is shown


@pytest.mark.parametrize(("rank", "first"), [(None, True), ("", True), ("0", True), ("1", False)])
def test_the_first_of_several_processes_knows_it(
    rank: str | None, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    assert environment.is_first_process() is first


def test_limits_that_are_not_set_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_IMAGE_MEMORY", " 4G ")
    monkeypatch.setenv("ZOO_IMAGE_PIXELS", "")
    limits = environment.image_limits()
    assert limits["memory"] == "4G"
    assert "pixels" not in limits


def test_a_home_folder_is_expanded_and_one_that_nobody_has_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expand_home("~/a") == tmp_path / "a"
    assert expand_home(Path("a/~")) == Path("a/~")
    assert expand_home("~nosuchuser/a") == Path("~nosuchuser/a")


@pytest.mark.skipif(os.name != "posix", reason="HOME is of POSIX")
@pytest.mark.parametrize("home", ["", ".", "home"])
def test_a_home_that_is_no_absolute_path_is_none(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.delenv("ZOO_HOME", raising=False)
    monkeypatch.delenv("HOME")
    without = [environment.home(), environment.hub_cache(), expand_home("~")]
    monkeypatch.setenv("HOME", home)
    assert [environment.home(), environment.hub_cache(), expand_home("~")] == without
    assert environment.home().is_absolute()
