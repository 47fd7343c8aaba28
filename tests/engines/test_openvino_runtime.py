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
FIRST_TOGETHER = """
import sys, threading
from pathlib import Path
from types import SimpleNamespace
import torch
from zoo.engines import openvino_runtime
folder = Path(sys.argv[1])
library = openvino_runtime.library()
pixels = library.opset13.parameter([1, 4], name="pixels")
graph = library.Model([library.opset13.relu(pixels)], [pixels])
library.save_model(graph, folder / "relu.xml")
request = SimpleNamespace(device=torch.device("cpu"), threads=2, lanes=1)
session = openvino_runtime.start(folder / "relu.xml", request)
arrived = threading.Barrier(16)
def call():
    arrived.wait()
    session({"pixels": torch.ones(1, 4)})
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=call) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
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


@pytest.mark.slow
def test_threads_whose_calls_are_the_first_together_do_not_wait_for_ever(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        command = [sys.executable, "-c", FIRST_TOGETHER, str(folder)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ran.stdout == "done\n", ran.stderr
