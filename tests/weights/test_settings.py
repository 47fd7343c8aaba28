"""Environment variables mean what the table says, at the moment they are needed."""

from pathlib import Path

import pytest

from zoo.errors import SourceError, UsageError
from zoo.weights import settings


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
    assert settings.offline() is off


@pytest.mark.parametrize("name", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_a_switch_that_is_neither_on_nor_off_is_never_taken_for_off(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv(name, "banana")
    with pytest.raises(
        UsageError, match=rf"{name} was read\.\n'banana' is neither on \(1, on, yes, true\) nor off"
    ):
        settings.offline()


def test_numbers_have_the_defaults_that_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZOO_TIMEOUT", "ZOO_RETRIES"):
        monkeypatch.delenv(name)
    assert (settings.timeout(), settings.retries()) == (10, 4)


@pytest.mark.parametrize("value", ["many", "-1", "2.5", "inf"])
def test_a_number_of_retries_that_is_none_is_named(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_RETRIES", value)
    with pytest.raises(UsageError, match=f"ZOO_RETRIES(.|\n)*{value}"):
        settings.retries()


def test_mirrors_are_pairs_and_only_the_first_equals_sign_divides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZOO_MIRRORS", "hub:a/=hub:b/, https://x/=https://y/?token=1 ,")
    assert settings.mirrors() == {"hub:a/": "hub:b/", "https://x/": "https://y/?token=1"}


def test_a_mirror_without_a_replacement_is_told_how_to_write_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZOO_MIRRORS", "https://x/")
    with pytest.raises(UsageError, match="prefix=replacement"):
        settings.mirrors()


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
def test_a_timeout_that_is_no_number_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_TIMEOUT", value)
    with pytest.raises(UsageError, match=f"ZOO_TIMEOUT(.|\n)*{value}"):
        settings.timeout()


def test_the_lock_file_is_the_named_one_or_the_one_here_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.lock_file() is None
    (tmp_path / "zoo.lock").touch()
    assert settings.lock_file() == Path("zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", "/elsewhere/zoo.lock")
    assert settings.lock_file() == Path("/elsewhere/zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", "")
    assert settings.lock_file() is None


def test_the_cache_of_the_hub_is_where_its_client_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert settings.hub_cache() == tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "other"))
    assert settings.hub_cache() == tmp_path / "other"


def test_a_bundle_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_BUNDLE", str(tmp_path / "carried"))
    with pytest.raises(SourceError, match=r"There is no such folder\.\nCorrect ZOO_BUNDLE"):
        settings.bundle_folder()
