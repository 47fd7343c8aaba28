"""An export goes one way after the other, and keeps the reason of each that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zoo.detectors import Detector
from zoo.engines import Exported, Parity
from zoo.engines import draft as drafts
from zoo.engines.card import choice_of
from zoo.engines.draft import Draft, Way, ways
from zoo.engines.scenes import scenes
from zoo.errors import ContractError, ExportError
from zoo.registry.exported import read_facts


@pytest.mark.parametrize(
    ("format", "batch", "exporter", "expected"),
    [
        ("torch", None, None, ["torch.export, batch dynamic", "torch.export, batch 1"]),
        ("onnx", 8, "legacy", ["legacy, batch 8"]),
        ("openvino", "dynamic", None, ["dynamo, batch dynamic", "legacy, batch dynamic"]),
        (
            *("onnx", None, None),
            [
                "dynamo, batch dynamic",
                "legacy, batch dynamic",
                "dynamo, batch 1",
                "legacy, batch 1",
            ],
        ),
    ],
)
def test_the_best_way_comes_first(
    format: Any, batch: Any, exporter: Any, expected: list[str]
) -> None:
    assert [str(way) for way in ways(format, batch, exporter)] == expected


@pytest.fixture
def draft(pico: Detector) -> Draft:
    return Draft(
        detector=pico,
        choice=choice_of(pico),
        format="onnx",
        images=scenes()[:1],
        say=lambda _: None,
    )


@pytest.fixture
def _copied(pico_onnx: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older exporter copies a file; the other one fails, and so does a batch of three."""

    def write(trace: Any, path: Path, exporter: str) -> None:
        if exporter == "dynamo":
            raise RuntimeError("this graph\nis too much")
        if len(trace.inputs[0]) == 3:
            raise ValueError("failed") from ContractError("Asked.", "The family refuses.", "Fix.")
        path.write_bytes(pico_onnx.path.read_bytes())

    monkeypatch.setattr(drafts, "write_onnx", write)
    monkeypatch.setattr(drafts, "measure", lambda *_, **__: Parity(images=1))


@pytest.mark.usefixtures("_copied")
def test_what_failed_before_is_kept_with_its_reason(draft: Draft, tmp_path: Path) -> None:
    made = draft.export(tmp_path, [Way("dynamo", None), Way("legacy", None)])
    assert made.tried == (
        "dynamo, batch dynamic: The exporter dynamo failed with RuntimeError: this graph is too "
        "much",
    )
    assert read_facts(made.file).exporter == "legacy"


@pytest.mark.usefixtures("_copied")
def test_where_every_way_fails_all_reasons_are_said(draft: Draft, tmp_path: Path) -> None:
    with pytest.raises(ExportError) as error:
        draft.export(tmp_path, [Way("dynamo", 1), Way("legacy", 3)])
    assert "dynamo, batch 1: The exporter dynamo failed" in str(error.value)
    assert "legacy, batch 3: Asked. The family refuses." in str(error.value)


@pytest.mark.usefixtures("_copied")
def test_a_batch_that_was_fixed_in_silence_is_refused(
    draft: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "onnx_batch", lambda _: 2)
    with pytest.raises(ExportError, match="fixed the batch at 2, though it was told not to"):
        draft.export(tmp_path, [Way("legacy", None)])


def test_a_file_that_no_library_reads_is_refused(
    draft: Draft, pico_onnx: Exported, tmp_path: Path
) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ExportError, match="onnxruntime can't read it"):
        draft.engine(tmp_path / "empty.onnx", read_facts(pico_onnx.path))
