"""Entries with real reports of made-up detectors, and a browser to look at the page with."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec import structs

from zoo.evaluate import Evaluator, GroundTruth, Report
from zoo.leaderboard import Entry, Model, Timing
from zoo.leaderboard.entry import PROVENANCE, Published, WeightsFile
from zoo.registry.card import Claim, Licenses

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def sha256_of(text: str) -> str:
    """A fingerprint for a file that is not there."""
    return hashlib.sha256(text.encode()).hexdigest()


PICTURES = 60
PROTOCOL = {"score": 0.01, "iou": 0.65, "max_boxes": 100}
MakeEntry = Callable[..., Entry]


@pytest.fixture(scope="session")
def truth() -> GroundTruth:
    """Three boxes of two classes in each of sixty pictures."""
    rng = np.random.default_rng(7)
    corner, side = rng.uniform(0, 300, (3 * PICTURES, 2)), rng.uniform(20, 150, (3 * PICTURES, 2))
    boxes = {
        "image": np.repeat(np.arange(PICTURES), 3),
        "label": rng.integers(0, 2, 3 * PICTURES),
        "box": np.hstack([corner, corner + side]),
    }
    return GroundTruth.of(range(PICTURES), boxes, label_space=["cat", "dog"], name="toys")


@pytest.fixture(scope="session")
def seen_by(truth: GroundTruth) -> Callable[[float, int], list[dict[str, Any]]]:
    """(quality, seed) -> what a detector of that quality, from 0 to 1, sees in every picture."""

    def made(quality: float, seed: int) -> list[dict[str, Any]]:
        rng = np.random.default_rng(seed)
        pictures = []
        for row in range(len(truth)):
            mine = slice(truth.starts[row], truth.starts[row + 1])
            xywh = truth.xywh[mine] + rng.normal(0, 30 * (1 - quality), (3, 4)) * [1, 1, 0, 0]
            boxes = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
            pictures.append(
                {"boxes": boxes, "scores": rng.uniform(0.2, 1, 3), "labels": truth.labels[mine]}
            )
        return pictures

    return made


@pytest.fixture(scope="session")
def report_of(
    truth: GroundTruth, seen_by: Callable[[float, int], list[dict[str, Any]]]
) -> Callable[[float, int], Report]:
    """(quality, seed) -> the report of such a detector, with provenance; each is computed once."""
    known: dict[tuple[float, int], Report] = {}

    def made(quality: float, seed: int) -> Report:
        if (quality, seed) not in known:
            evaluator = Evaluator(truth)
            evaluator.update(range(len(truth)), seen_by(quality, seed))
            facts = dict.fromkeys(PROVENANCE, "known") | {"finished": "2026-01-31T12:00:00+00:00"}
            known[quality, seed] = evaluator.compute(resamples=200).with_provenance(facts)
        return known[quality, seed]

    return made


@pytest.fixture(scope="session")
def make_entry(report_of: Callable[[float, int], Report]) -> MakeEntry:
    """An entry in which nothing is wrong, but for what is asked for. ap: puts this AP into the
    report."""

    def made(
        name: str = "toy",
        *,
        quality: float = 0.8,
        seed: int = 0,
        ap: float | None = None,
        claimed: float | None = None,
        parameters: int = 1_000_000,
        published: int | None = None,
        license: str | None = "MIT",
        family: str | None = "Toys",
        data: str = "toys",
        sha256: str | None = None,
        **changes: object,
    ) -> Entry:
        report = report_of(quality, seed)
        if ap is not None:
            report = replace(report, numbers={**report.numbers, "AP": ap})
        facts = {
            "data_sha256": report.measured.sha256,
            "protocol_settings": json.dumps(changes.setdefault("protocol", PROTOCOL)),
            "weights_source": f"file:{name}.safetensors",
            "data": report.measured.data,
        }
        source = f"file:{name}.safetensors"
        claims = (
            []
            if claimed is None
            else [Claim(dataset=data, metric="AP", value=claimed, source="a paper")]
        )
        model = Model(
            name=name,
            family=family,
            licenses=Licenses(code=license, weights=license),
            parameters=parameters,
            weights=WeightsFile(
                source=source, sha256=sha256 or sha256_of(source), bytes=4 * parameters
            ),
            published=Published(parameters=published, claims=claims),
        )
        timing = Timing(
            hardware="a processor",
            threads=2,
            runs=50,
            median_ms=10 * quality,
            p95_ms=12.0,
            peak_mb=300.0,
            gflops=1.5,
        )
        entry = Entry(
            model=model,
            data=data,
            protocol=PROTOCOL,
            report=report.with_provenance(facts),
            timing=timing,
        )
        return structs.replace(entry, **changes)

    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install playwright"
    )
    chromium = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as player:
        # Chromium's sandbox refuses to run for the superuser, as which containers run tests
        made = player.chromium.launch(executable_path=chromium, chromium_sandbox=os.geteuid() != 0)
        yield made
        made.close()
