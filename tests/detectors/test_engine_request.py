"""Engines and their options, as they are typed."""

import pytest

from zoo.detectors.engine_request import names, parsed
from zoo.errors import UsageError
from zoo.registry import catalogue


def test_options_stand_behind_commas() -> None:
    assert parsed("onnxruntime") == ("onnxruntime", {})
    assert parsed("openvino, threads=2,spin=true") == ("openvino", {"threads": 2, "spin": True})


@pytest.mark.parametrize("text", ["a,threads=x", "a,threads=-1", "a,spin=1", "a,", "a,b"])
def test_other_options_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parsed(text)


def test_the_zoo_s_own_engines_are_listed() -> None:
    assert names(catalogue()) == ["auto", "compile", "onnxruntime", "openvino", "torch"]
