"""`zoo.export`: the file takes its place once it agrees with torch, and needs nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

import zoo
from zoo.detectors import Detector
from zoo.engines import Engine, Exported
from zoo.engines import draft as drafts
from zoo.errors import ExportError, UsageError
from zoo.registry.exported import read_facts
from zoo.testing.toy import Toy


def test_a_file_says_how_near_it_is_to_torch(pico_onnx: Exported) -> None:
    parity = pico_onnx.parity
    assert pico_onnx.batch is None
    assert parity.batches == [1, 2, 3]
    assert 0 < parity.worst < 1e-4
    assert parity.detections > 100
    assert parity.score < 1e-4
    assert json.loads(pico_onnx.to_json())["parity"]["detections"] == parity.detections


def test_the_file_carries_the_model(pico_onnx: Exported, pico: Detector) -> None:
    facts = read_facts(pico_onnx.path)
    assert facts.labels == list(pico.label_space.names)
    assert facts.thresholds == {"score": 0.01, "iou": 0.65, "max_boxes": 100}
    assert facts.licenses["weights"] == "Apache-2.0"
    assert pico.weights is not None
    assert facts.weights["sha256"] == pico.weights.sha256
    assert facts.preprocess["size"] == [320, 320]
    assert facts.parity["detections"] == pico_onnx.parity.detections


def test_it_gives_the_same_detections(pico_onnx: Exported, pico: Detector, scene: Tensor) -> None:
    loaded = zoo.load(f"file:{pico_onnx.path}")
    assert isinstance(loaded, Engine)
    ours, theirs = pico.detect(scene), loaded.detect(scene)
    assert len(ours) > 0
    assert torch.equal(ours.labels, theirs.labels)
    assert torch.allclose(ours.boxes, theirs.boxes, atol=0.01)
    assert torch.allclose(ours.scores, theirs.scores, atol=1e-4)


def test_a_graph_that_disagrees_is_not_written(
    pico: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = drafts.write_onnx

    def spoiled(trace, path, exporter) -> None:  # type: ignore[no-untyped-def]
        bias = trace.network.detector.head.obj_preds[1].bias
        with torch.no_grad():
            bias += 0.5
            write(trace, path, exporter)
            bias -= 0.5

    monkeypatch.setattr(drafts, "write_onnx", spoiled)
    to = tmp_path / "pico.onnx"
    with pytest.raises(ExportError) as error:
        zoo.export(pico, to=to, batch=1, exporter="legacy")
    assert "output 'values' differs from torch by" in error.value.case
    assert "320 x 320 input pixels" in error.value.case
    assert not to.exists()


def test_modes_stay_as_they_were(pico: Detector, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    pico.backbone.train()
    before = [module.training for module in pico.modules()]
    try:
        with pytest.raises(ExportError, match="can't be written"):
            zoo.export(pico, to=tmp_path / "file" / "x.onnx", batch=1, exporter="legacy")
        assert [module.training for module in pico.modules()] == before
    finally:
        pico.eval()


def test_a_detector_that_no_card_builds_is_refused(pico: Detector, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="built without a card"):
        zoo.export(Toy(label_space=pico.label_space), to=tmp_path / "toy.onnx")


@pytest.mark.parametrize(
    ("to", "options", "message"),
    [
        ("x.onnx", {"format": "openvino"}, "file's name says otherwise"),
        ("x.xml", {}, "two files, in a folder"),
        ("x.onnx", {"format": "tflite"}, "no such format"),
        ("x.onnx", {"batch": 0}, "at least 1"),
        ("x.bin", {"format": "onnx"}, "x.onnx"),
        ("x.tflite", {}, r"(?s)No format has files that end in .tflite.*x.onnx or x.pt2"),
        ("x.onnx", {"data": "shapes:val"}, "half=True"),
    ],
)
def test_what_can_t_be_meant_is_said_first(
    pico: Detector, tmp_path: Path, to: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        zoo.export(pico, to=tmp_path / to, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("to", "there", "case"),
    [
        ("x.onnx", "x.onnx/", "That is a folder"),
        ("x", "x/other.txt", "with files in it"),
        ("x", "x", "That is a file"),
        ("file/x.onnx", "file", "is not a folder"),
    ],
)
def test_a_place_that_can_t_be_written_is_said_before_the_work(
    tmp_path: Path, to: str, there: str, case: str
) -> None:
    place = tmp_path / there
    place.parent.mkdir(exist_ok=True)
    place.mkdir() if there.endswith("/") else place.write_text("kept")
    with pytest.raises(ExportError, match=case):
        zoo.export("no_such_model", to=tmp_path / to)


def test_an_exported_file_is_not_exported_again(pico_onnx: Exported, tmp_path: Path) -> None:
    name = f"file:{pico_onnx.path}"
    for model in (name, zoo.load(name)):
        with pytest.raises(UsageError, match="exported file already"):
            zoo.export(model, to=tmp_path / "x.onnx")  # type: ignore[arg-type]


def test_a_family_that_refuses_is_an_error_of_exporting(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"(?s)'fasterrcnn_pico.*' can't be.*looks once") as error:
        zoo.export("fasterrcnn_pico", to=tmp_path / "x.onnx")
    assert "how many regions there are depends on the image" in error.value.case


@pytest.mark.slow
@pytest.mark.parametrize("to", ["pico.onnx", "pico.pt2", "pico"])
def test_every_format_is_loaded_and_agrees(
    pico: Detector, scene: Tensor, tmp_path: Path, to: str
) -> None:
    pytest.importorskip("openvino")
    made = zoo.export(pico, to=tmp_path / to)
    assert made.tried == ()
    assert made.batch is None
    loaded = zoo.load(f"file:{tmp_path / to}")
    ours, theirs = pico.detect(scene), loaded.detect(scene)
    assert torch.equal(ours.labels, theirs.labels)
    assert torch.allclose(ours.boxes, theirs.boxes, atol=0.01)
