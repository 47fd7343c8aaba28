"""What reading images may cost: given, from the environment, or as typed."""

import pytest

from zoo.errors import UsageError
from zoo.images import Limits


def test_the_environment_sets_what_is_not_given(monkeypatch):
    assert Limits.in_force() == Limits()
    monkeypatch.setenv("ZOO_IMAGE_PIXELS", "400M")
    monkeypatch.setenv("ZOO_IMAGE_MEMORY", "1.5g")
    monkeypatch.setenv("ZOO_IMAGE_SECONDS", "0.5")
    monkeypatch.setenv("ZOO_IMAGE_DOWNLOAD", "2e6")
    found = Limits(pixels=400_000_000, memory=1_500_000_000, seconds=0.5, download=2_000_000)
    assert Limits.in_force() == found
    assert Limits.in_force(Limits(pixels=5)) == Limits(pixels=5)


@pytest.mark.parametrize("text", ["many", "0", "-3", "4T", "1e99", "nan", "1,000"])
def test_a_variable_that_is_no_limit_is_named(text, monkeypatch):
    monkeypatch.setenv("ZOO_IMAGE_MEMORY", text)
    with pytest.raises(UsageError, match=f"ZOO_IMAGE_MEMORY={text}.*\n.*a number above 0"):
        Limits.in_force()


def test_limits_are_changed_as_they_are_typed():
    assert Limits().changed(["memory=4G", "seconds=300"]) == Limits(memory=4 * 10**9, seconds=300.0)
    for wrong in ("minutes=3", "memory"):
        with pytest.raises(UsageError, match="with a name of pixels, memory, seconds, download"):
            Limits().changed([wrong])
    with pytest.raises(UsageError, match="--limit memory=lots was given"):
        Limits().changed(["memory=lots"])


@pytest.mark.parametrize("value", [0, -1, float("nan"), "4G", True])
def test_a_limit_is_a_number_above_0(value):
    with pytest.raises(UsageError, match="'memory' is a number above 0"):
        Limits(memory=value)
