"""Weights in float16: half the file, nearly the same detections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.detectors import Detector
from zoo.engines import Exported, half
from zoo.engines.card import choice_of
from zoo.engines.draft import Candidate, Draft
from zoo.engines.scenes import scenes
from zoo.errors import ExportError
from zoo.registry.exported import read_facts

SCENES = "shapes:val,count=4"


@pytest.fixture
def made(pico_onnx: Exported) -> Candidate:
    """The file in float32, as an export has it at hand."""
    return Candidate(pico_onnx.path, read_facts(pico_onnx.path), pico_onnx.parity, ())


def draft(pico: Detector) -> Draft:
    return Draft(
        detector=pico,
        choice=choice_of(pico),
        format="onnx",
        images=scenes(),
        say=lambda _: None,
    )


def test_a_file_has_half_the_size_and_the_same_detections(
    pico: Detector, made: Candidate, scene: Tensor, tmp_path: Path
) -> None:
    lighter = draft(pico).halve(made, tmp_path, zoo.data.read(SCENES))
    assert lighter.file.stat().st_size < 0.6 * made.file.stat().st_size
    facts = read_facts(lighter.file)
    assert facts.precision == "float16"
    assert facts.parity["detections"] > 50
    assert lighter.parity.worst > 1e-4
    assert lighter.accuracy is not None
    assert lighter.accuracy.images == 4
    assert facts.measured["after"] == lighter.accuracy.after
    ours, theirs = pico.detect(scene), zoo.load(f"file:{lighter.file}").detect(scene)
    assert torch.equal(ours.labels, theirs.labels)
    assert torch.allclose(ours.boxes, theirs.boxes, atol=2)
    assert torch.allclose(ours.scores, theirs.scores, atol=0.01)


def test_weights_that_are_spoilt_are_refused(
    pico: Detector, made: Candidate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = half.halve_onnx

    def spoiled(model: Any) -> None:
        write(model)
        name = next(node.input[0] for node in model.graph.node if node.op_type == "Cast")
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
        tensor.raw_data = bytes(len(tensor.raw_data))

    monkeypatch.setattr(half, "halve_onnx", spoiled)
    with pytest.raises(
        ExportError,
        match=r"(?s)weights in float16.*'values' differs from torch by.*0\.2%.*leave half out",
    ):
        draft(pico).halve(made, tmp_path)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heavy = nn.Linear(32, 32)
        self.register_buffer("offsets", torch.rand(1, 32))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.heavy(pixels) + self.offsets


def test_a_program_casts_its_weights(tmp_path: Path) -> None:
    network = Network()
    program = torch.export.export(network, (torch.rand(2, 32),))
    half.halve_program(program)
    torch.export.save(program, tmp_path / "network.pt2")
    loaded = torch.export.load(tmp_path / "network.pt2")
    kinds = {name: value.dtype for name, value in loaded.state_dict.items()}
    assert kinds == {
        "heavy.weight": torch.float16,
        "heavy.bias": torch.float32,
        "offsets": torch.float32,
    }
    pixels = torch.rand(2, 32)
    with torch.no_grad():
        difference = (loaded.module()(pixels) - network(pixels)).abs().max()
    assert 0 < difference < 1e-2


def test_weights_that_float16_can_t_hold_stay() -> None:
    network = Network()
    with torch.no_grad():
        network.heavy.weight[0, 0] = 1e6
    program = torch.export.export(network, (torch.rand(2, 32),))
    half.halve_program(program)
    assert program.state_dict["heavy.weight"].dtype == torch.float32


@pytest.mark.slow
@pytest.mark.parametrize("to", ["pico.pt2", "pico"])
def test_every_format_can_be_halved(pico: Detector, tmp_path: Path, to: str) -> None:
    pytest.importorskip("openvino")
    made = zoo.export(pico, to=tmp_path / to, half=True, exporter="legacy")
    parameters = sum(parameter.numel() for parameter in pico.parameters())
    assert made.float32_bytes - made.bytes > 1.7 * parameters  # 2 bytes each, but of norms
    assert made.precision == "float16"
    assert len(zoo.load(f"file:{tmp_path / to}").detect(scenes()[0])) > 0
