"""Idle threads of ONNX Runtime sleep unless they are asked to spin."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from zoo.detectors import Detector
from zoo.engines import Exported, onnx_runtime
from zoo.engines.card import choice_of, request_for
from zoo.errors import UsageError


@pytest.mark.parametrize(("spin", "entry"), [(False, "0"), (True, "1")])
def test_threads_spin_only_when_asked(
    pico: Detector,
    pico_onnx: Exported,
    monkeypatch: pytest.MonkeyPatch,
    spin: bool,
    entry: str,
) -> None:
    entries: dict[str, str] = {}
    runtime = onnx_runtime.library()

    class Options(runtime.SessionOptions):  # type: ignore[misc,name-defined]
        def add_session_config_entry(self, name: str, value: str) -> None:
            entries[name] = value
            super().add_session_config_entry(name, value)

    monkeypatch.setattr(runtime, "SessionOptions", Options)
    request = request_for(pico, choice_of(pico), "onnxruntime")
    onnx_runtime.start(pico_onnx.path, replace(request, spin=spin, threads=1))
    assert entries["session.intra_op.allow_spinning"] == entry


def test_a_device_that_this_build_has_not_is_refused(pico: Detector, pico_onnx: Exported) -> None:
    request = request_for(pico, choice_of(pico), "onnxruntime")
    with pytest.raises(UsageError, match="This build of ONNX Runtime has"):
        onnx_runtime.start(pico_onnx.path, replace(request, device=torch.device("mps")))
