"""A row is of all calls of a batch size; what makes it doubtful is said."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from tests.timing.conftest import CALLS, FACTS
from zoo.timing import Benchmark, Row, Steadiness


def test_a_row_has_quantiles_and_shares_of_an_image(row: Row) -> None:
    assert row.median_ms == pytest.approx(29)
    assert row.p95_ms == pytest.approx(38)
    assert row.images_per_s == pytest.approx(8 / 0.029)
    assert (row.read_ms, row.network_ms, row.calls) == (pytest.approx(2), pytest.approx(1.5), 20)


def test_steps_without_names_are_unknown() -> None:
    calls = [structs.replace(call, network=None) for call in CALLS]
    row = Row.of(calls, FACTS, requested="torch", batch=1, start=1.0, warm=True)
    assert row.network_ms is None
    assert row.preprocess_ms == pytest.approx(4)


def test_it_is_json(measured: Benchmark) -> None:
    facts = json.loads(json.dumps(measured.to_json()))
    assert facts["rows"][0]["engine"] == "onnxruntime 1.32.0"
    assert facts["remarks"] == []


def test_what_makes_numbers_doubtful_is_said(measured: Benchmark, row: Row) -> None:
    doubtful = structs.replace(
        measured, rows=(structs.replace(row, warm=False),), steadiness=Steadiness(1.4, 1.0)
    )
    assert len(doubtful.remarks) == 2
    assert "1.40 times" in doubtful.remarks[0]
    assert "yolox_pico.shapes by onnxruntime 1.32.0, batch 8" in doubtful.remarks[1]
