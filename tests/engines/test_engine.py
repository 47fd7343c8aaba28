"""Engine: preprocessing and decode of the family around a graph."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from msgspec import structs
from torch import Tensor

from zoo.contract import Predictor
from zoo.detectors import Detector
from zoo.engines import Engine, Exported
from zoo.engines.card import choice_of, request_for
from zoo.engines.lanes import Lanes
from zoo.errors import ContractError, ImageError
from zoo.registry.exported import read_facts


def test_an_engine_is_a_predictor(engine: Engine) -> None:
    predictor: Predictor = engine
    assert predictor.name == "yolox_pico.shapes"
    assert predictor.input_size(480, 640) == (320, 320)
    assert engine.engine == "onnxruntime"
    assert engine.version


def test_the_network_in_torch_has_no_content(engine: Engine) -> None:
    assert {parameter.device.type for parameter in engine.network.parameters()} == {"meta"}


def test_of_no_images_it_predicts_nothing(engine: Engine) -> None:
    assert engine.predict([], engine.defaults) == []


def test_many_images_are_detected_in_as_one_by_one(engine: Engine, scene: Tensor) -> None:
    images = [scene, scene.flip(1), scene.flip(2)]
    together = engine.detect(images, score=0.05)
    alone = [engine.detect(image, score=0.05) for image in images]
    assert [len(each) for each in together] == [len(each) for each in alone]
    assert all(
        torch.allclose(batched.boxes, single.boxes, atol=0.01)
        for batched, single in zip(together, alone, strict=True)
    )


def test_the_compiler_of_torch_is_not_imported_for_a_batch(pico_onnx: Exported) -> None:
    script = (
        "import sys, torch, zoo\n"
        f"engine = zoo.load({'file:' + str(pico_onnx.path)!r}, engine='onnxruntime,threads=2')\n"
        "engine.detect([torch.zeros(3, 64, 64, dtype=torch.uint8)] * 4, batch_size=4)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"  # it takes as long to import as torch itself


def _with(
    pico: Detector, exported: Exported, session: object, lanes: int = 0, **input_: object
) -> Engine:
    facts = read_facts(exported.path)
    facts = structs.replace(facts, input=structs.replace(facts.input, **input_))
    request = request_for(pico, choice_of(pico), "fake")
    return Engine(
        session,  # type: ignore[arg-type]
        request=request,
        facts=facts,
        file=exported.path,
        lanes=Lanes(lanes, lambda: session) if lanes else None,  # type: ignore[arg-type,return-value]
    )


class Counting:
    """A session that knows how many images it was given."""

    version = "1"

    def __init__(self, engine: Engine) -> None:
        self.run, self.counts = engine.forward, list[int]()

    def __call__(self, inputs):  # type: ignore[no-untyped-def]
        self.counts.append(len(inputs["pixels"]))
        return [torch.zeros(len(inputs["pixels"]), 2100, 13)]


@pytest.mark.parametrize("lanes", [0, 1, 2])
def test_a_graph_of_a_fixed_batch_always_gets_as_many(
    pico: Detector, pico_onnx: Exported, engine: Engine, scene: Tensor, lanes: int
) -> None:
    session = Counting(engine)
    fixed = _with(pico, pico_onnx, session, lanes, batch=2)
    detections = fixed.predict([scene] * 5, replace(fixed.defaults, score=0.5))
    assert (len(detections), session.counts) == (5, [2, 2, 2])


@pytest.mark.parametrize(("lanes", "counts"), [(0, [4]), (1, [1] * 4), (2, [1] * 4)])
def test_an_automatic_batch_is_for_the_lanes(
    pico: Detector,
    pico_onnx: Exported,
    engine: Engine,
    scene: Tensor,
    lanes: int,
    counts: list[int],
) -> None:
    session = Counting(engine)
    other = _with(pico, pico_onnx, session, lanes)
    assert other.auto_batch(320, 320) == (4 * lanes or None)
    assert other.calls_at_once == (2 if lanes > 1 else 1)
    other.detect([scene] * 4)
    assert session.counts == counts


def test_an_image_of_another_input_size_is_refused(
    pico: Detector, pico_onnx: Exported, engine: Engine
) -> None:
    other = _with(pico, pico_onnx, Counting(engine), size=(64, 64))
    with pytest.raises(ImageError, match="only takes inputs of 64 x 64 pixels"):
        other.input_size(480, 640)


def test_a_session_that_returns_too_little_is_named(
    pico: Detector, pico_onnx: Exported, scene: Tensor
) -> None:
    class Silent:
        version = "1"

        def __call__(self, _):  # type: ignore[no-untyped-def]
            return []

    with pytest.raises(ContractError, match="returned 0 outputs, and the network has 1"):
        _with(pico, pico_onnx, Silent()).predict([scene], pico.defaults)


def test_an_engine_that_goes_to_another_process_is_loaded_there(
    engine: Engine, scene: Tensor
) -> None:
    there = pickle.loads(pickle.dumps(engine))
    assert isinstance(there, Engine)
    assert (there.engine, there.file, there.name) == (engine.engine, engine.file, engine.name)
    here, other = engine.detect(scene), there.detect(scene)
    assert torch.equal(here.boxes, other.boxes)
    assert len(here) > 0
