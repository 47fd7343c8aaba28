"""The preprocessing of an exported file is the family's, at the size of the export."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.detectors import Detector
from zoo.engines.preprocess import describe, restore
from zoo.errors import CardError


def test_it_is_restored_at_another_size(pico: Detector) -> None:
    small = pico.preprocess.at((64, 96))
    assert restore(pico.preprocess, describe(small), Path("x.onnx")) == small


def test_a_family_that_changed_is_said(pico: Detector) -> None:
    facts = describe(pico.preprocess) | {"settings": {"size": [320, 320], "mean": [0, 0, 0]}}
    with pytest.raises(CardError, match="Export it again"):
        restore(pico.preprocess, facts, Path("x.onnx"))
