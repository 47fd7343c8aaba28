"""`torch.export` programs as sessions."""

from __future__ import annotations

import threading
from pathlib import Path
from time import perf_counter

import pytest
import torch
from torch import Tensor, nn

from zoo.detectors import Detector
from zoo.engines.card import choice_of, request_for
from zoo.engines.torch_program import start, start_compiled


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        return (self.conv(pixels),)


@pytest.mark.parametrize("count", [1, 3])
def test_a_program_is_run(pico: Detector, tmp_path: Path, count: int) -> None:
    network = Network()
    shapes = ({0: torch.export.Dim.AUTO},)
    program = torch.export.export(network, (torch.zeros(2, 3, 4, 4),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "conv.pt2")
    session = start(tmp_path / "conv.pt2", request_for(pico, choice_of(pico), "torch"))
    pixels = torch.rand(count, 3, 4, 4)
    with torch.no_grad():
        assert torch.allclose(session({"pixels": pixels})[0], network(pixels)[0], atol=1e-6)
    assert session.version == torch.__version__


@pytest.mark.slow
def test_a_program_is_compiled_once_for_any_batch(pico: Detector, tmp_path: Path) -> None:
    network = Network().to(memory_format=torch.channels_last)
    shapes = ({0: torch.export.Dim.AUTO},)
    program = torch.export.export(network, (torch.zeros(2, 3, 4, 4),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "conv.pt2")
    request = request_for(pico, choice_of(pico), "compile")
    session = start_compiled(tmp_path / "conv.pt2", request)
    seconds, before = [], set(threading.enumerate())
    for count in (2, 3, 5):
        pixels = torch.rand(count, 3, 4, 4)
        begun = perf_counter()
        (values,) = session({"pixels": pixels})
        seconds.append(perf_counter() - begun)
        with torch.no_grad():
            assert torch.allclose(values, network(pixels)[0], atol=1e-5)
    assert seconds[2] < seconds[0] / 10  # the first one compiles
    assert [each for each in threading.enumerate() if each not in before and not each.daemon] == []
