"""OpenVINO computes in float32, reads ONNX, and reports nothing to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

import zoo
from zoo.detectors import Detector
from zoo.engines import Exported

QUIET = """
import socket, sys
def refuse(*_): raise SystemExit("a socket was opened")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from zoo.engines import openvino_runtime
openvino_runtime.library().Core()
assert "openvino_telemetry" not in sys.modules
import threading
assert threading.active_count() == 1, threading.enumerate()
"""


def test_it_agrees_with_torch_in_float32(
    pico: Detector, pico_onnx: Exported, scene: Tensor
) -> None:
    pytest.importorskip("openvino")
    engine = zoo.load(f"file:{pico_onnx.path}", engine="openvino,threads=1")
    ours, theirs = pico.detect(scene), engine.detect(scene)
    assert torch.equal(ours.labels, theirs.labels)
    assert torch.allclose(ours.scores, theirs.scores, atol=1e-4)


def test_nothing_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    ran = subprocess.run(
        [sys.executable, "-c", QUIET],
        env={**variables, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "intel").exists()
