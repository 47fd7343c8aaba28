"""Engines and their options, as they are typed."""

import pytest

from zoo.detectors.engine_request import names, parse_engine
from zoo.errors import UsageError
from zoo.registry import catalogue


def test_options_stand_behind_commas() -> None:
    assert parse_engine("onnxruntime") == ("onnxruntime", {})
    assert parse_engine("openvino, threads=2,spin=true") == (
        "openvino",
        {"threads": 2, "spin": True},
    )


@pytest.mark.parametrize("text", ["a,threads=x", "a,threads=-1", "a,spin=1", "a,", "a,b"])
def test_other_options_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_engine(text)


def test_the_zoo_s_own_engines_are_listed() -> None:
    assert names(catalogue()) == ["auto", "compile", "onnxruntime", "openvino", "torch"]
