"""Provenance as text by key: what is known, what differs between parts, and what can't be."""

import sys
from datetime import datetime, timedelta
from importlib.metadata import version

import numpy as np
import pytest
import torch

from zoo.evaluate.predictions.provenance import (
    flaw,
    hardware,
    joined,
    now,
    settings_of,
    software,
)


def test_versions_are_those_that_run() -> None:
    found = software()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["numpy"] == np.__version__
    assert found["torch"] == version("torch")
    assert set(found) <= {"detzoo", "python", "torch", "torchvision", "numpy", "pillow"}


def test_the_machine_is_told_with_the_device_where_there_is_one() -> None:
    assert "device" not in hardware()
    found = hardware(torch.device("cpu"))
    assert found["device"] == "cpu"
    assert found["threads"] == str(torch.get_num_threads())
    assert all(found.values())


def test_a_moment_is_utc_to_the_second() -> None:
    moment = datetime.fromisoformat(now())
    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond == 0


def test_what_differs_between_parts_is_listed_once_and_in_order() -> None:
    parts = [{"device": "cpu", "threads": "2"}, {"device": "cuda"}, {"device": "cpu"}]
    assert joined(parts) == {"device": "cpu; cuda", "threads": "2"}
    assert joined([]) == {}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"started": "yesterday"}, "'started' of its provenance is 'yesterday', not a time"),
        ({"finished": "2026-13-01"}, "not a time"),
        ({"seconds": "-1"}, "not a number of seconds"),
        ({"seconds": "inf"}, "not a number of seconds"),
        ({"seconds": "nan"}, "not a number of seconds"),
        ({"protocol_settings": "[]"}, "not settings as a JSON object"),
        ({"settings_in_force": "{"}, "not settings as a JSON object"),
        ({"protocol_settings": "[" * 100_000}, "not settings as a JSON object"),
    ],
)
def test_an_entry_that_can_not_be_is_named(facts: dict[str, str], message: str) -> None:
    assert message in (flaw(facts) or "")


def test_sound_facts_have_no_flaw() -> None:
    facts = {"started": now(), "seconds": "1.5", "protocol_settings": "{}", "anything": "else"}
    assert flaw(facts) is None
    assert flaw({}) is None


def test_settings_that_nobody_knows_are_none() -> None:
    assert settings_of({"protocol_settings": '{"score": 0.1}'}) == {"score": 0.1}
    assert settings_of({}) is None
    assert settings_of({"protocol_settings": "7"}) is None
