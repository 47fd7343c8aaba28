"""Exporters are kept quiet; files say what they are."""

from __future__ import annotations

import logging
import sys
import warnings

import pytest

from zoo.engines import Exported
from zoo.engines.formats import onnx_batch, quiet


def test_exporters_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    level = logging.getLogger("torch.onnx").level
    with warnings.catch_warnings(record=True) as caught, quiet():
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        sys.stdout.write("chatter")
        sys.stderr.write("chatter")
        logging.getLogger("torch.onnx").warning("chatter")
    assert not caught
    assert capsys.readouterr() == ("", "")
    assert logging.getLogger("torch.onnx").level == level


def test_a_file_says_whether_its_batch_is_fixed(pico_onnx: Exported) -> None:
    assert onnx_batch(pico_onnx.path) is None
