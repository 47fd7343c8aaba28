"""Entries with real reports of made-up detectors, a board to build, and a browser for the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from zoo.evaluate import Evaluator, GroundTruth, Report
from zoo.leaderboard import Entry, Leaderboard, Model, Timing, check
from zoo.leaderboard.disagreement import ShownBox, ShownDetections, ShownImage
from zoo.leaderboard.entry import PROVENANCE, ModelWeights, Published
from zoo.leaderboard.site import page as html_of
from zoo.leaderboard.table import Failure, table_of
from zoo.registry import reload
from zoo.registry.card import Claim, Licenses

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import Open


def sha256_of(text: str) -> str:
    """A fingerprint for a file that is not there."""
    return hashlib.sha256(text.encode()).hexdigest()


IMAGES = 60
PROTOCOL = {"score": 0.01, "iou": 0.65, "max_boxes": 100}
MakeEntry = Callable[..., Entry]


@pytest.fixture(scope="session")
def truth() -> GroundTruth:
    """Three boxes of two classes in each of sixty images."""
    rng = np.random.default_rng(7)
    corner, side = rng.uniform(0, 300, (3 * IMAGES, 2)), rng.uniform(20, 150, (3 * IMAGES, 2))
    boxes = {
        "image": np.repeat(np.arange(IMAGES), 3),
        "label": rng.integers(0, 2, 3 * IMAGES),
        "box": np.hstack([corner, corner + side]),
    }
    return GroundTruth.of(range(IMAGES), boxes, label_space=["cat", "dog"], name="toys")


@pytest.fixture(scope="session")
def seen_by(truth: GroundTruth) -> Callable[[float, int], list[dict[str, Any]]]:
    """(quality, seed) -> what a detector of that quality, from 0 to 1, sees in every image."""

    def made(quality: float, seed: int) -> list[dict[str, Any]]:
        rng = np.random.default_rng(seed)
        images = []
        for row in range(len(truth)):
            mine = slice(truth.starts[row], truth.starts[row + 1])
            xywh = truth.xywh[mine] + rng.normal(0, 30 * (1 - quality), (3, 4)) * [1, 1, 0, 0]
            boxes = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
            images.append(
                {"boxes": boxes, "scores": rng.uniform(0.2, 1, 3), "labels": truth.labels[mine]}
            )
        return images

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


TIMING = Timing(
    hardware="a processor",
    threads=2,
    runs=50,
    median_ms=8.0,
    p95_ms=12.0,
    peak_mb=300.0,
    gflops=1.5,
)


def claims_of(claimed: float | None, data: str) -> list[Claim]:
    """The claim of an AP, or none."""
    if claimed is None:
        return []
    return [Claim(dataset=data, metric="AP", value=claimed, source="a paper")]


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
        source = f"file:{name}.safetensors"
        facts = {
            "data_sha256": report.measured.sha256,
            "protocol_settings": json.dumps(changes.setdefault("protocol", PROTOCOL)),
            "weights_source": source,
            "data": report.measured.data,
        }
        model = Model(
            name=name,
            family=family,
            licenses=Licenses(code=license, weights=license),
            parameters=parameters,
            weights=ModelWeights(
                source=source, sha256=sha256 or sha256_of(source), bytes=4 * parameters
            ),
            published=Published(parameters=published, claims=claims_of(claimed, data)),
        )
        entry = Entry(
            model=model,
            data=data,
            protocol=PROTOCOL,
            report=report.with_provenance(facts),
            timing=structs.replace(TIMING, median_ms=10 * quality),
        )
        return structs.replace(entry, **changes)

    return made


PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def image_of(names: list[str]) -> ShownImage:
    """An image with one cat, which all models see but the first."""
    box = ShownBox((0.1, 0.1, 0.5, 0.5), "cat", 0.9, True)
    detections = tuple(
        ShownDetections(name, 1.0 - at / 2, (box,) * at) for at, name in enumerate(names)
    )
    truth = ShownBox((0.1, 0.1, 0.5, 0.5), "cat", None, True)
    return ShownImage("7", 200, 100, PIXEL, 0.5, (truth,), detections)


def board_of(
    entries: list[Entry], failures: tuple[Failure, ...], tables: tuple[str, ...]
) -> Leaderboard:
    """A board of entries, with one image that the first two disagree on."""
    findings = check(entries)
    image = image_of([entry.name for entry in entries[:2]])
    by_data = {name: [entry for entry in entries if entry.data == name] for name in tables}
    return Leaderboard(
        "Toys",
        "A board.",
        "uniform",
        {"score": 0.01},
        "2026-01-01",
        "0.1.0",
        tuple(table_of(name, rows, findings, examples=[image]) for name, rows in by_data.items()),
        tuple(findings),
        (),
        failures,
    )


@pytest.fixture
def show(open_page: Open) -> Callable[..., Page]:
    """(entries, failures, width, scheme) -> the page of such a board; afterwards nothing may have
    gone wrong in it."""

    def made(
        entries: list[Entry],
        *,
        failures: tuple[Failure, ...] = (),
        width: int = 1440,
        scheme: str = "light",
        tables: tuple[str, ...] = ("toys",),
    ) -> Page:
        board = board_of(entries, failures, tables)
        page = open_page(html_of(board), width=width, scheme=scheme)
        page.wait_for_selector("table.board" if tables else "#facts")
        return page

    return made


@pytest.fixture
def entries(make_entry: Callable[..., Entry]) -> list[Entry]:
    """Three models of two families and licences; the second has no timing."""
    return [
        make_entry("fast", quality=0.6, parameters=900_000, family="Toys", license="MIT"),
        structs.replace(
            make_entry(
                "exact",
                quality=0.95,
                seed=1,
                parameters=40_000_000,
                family="Tools",
                license="AGPL-3.0-only",
            ),
            timing=None,
        ),
        make_entry(
            "middle",
            quality=0.8,
            seed=2,
            parameters=4_000_000,
            family="Toys",
            license="MIT",
            claimed=99.0,
        ),
    ]


CARD = """
schema: 2
cards:
  tiny:
    architecture: yolox/yolox
    arguments: {depth: 0.33, width: 0.25, depthwise: true, size: 64}
    labels: coco80
    family: YOLOX
    input: {resize: letterbox, size: [64, 64], range: 255, channels: bgr, padding: 114}
"""


@pytest.fixture
def desk(tmp_path):
    """A data set of six images, stored detections of it, and a card of one's own."""
    rng = np.random.default_rng(0)
    annotations, results = [], []
    for image in range(1, 7):
        Image.fromarray(rng.integers(0, 255, (60, 80, 3), np.uint8)).save(tmp_path / f"{image}.png")
        box = [10, 10, 40, 30]
        annotations.append(
            {
                "id": image,
                "image_id": image,
                "category_id": 1,
                "bbox": box,
                "area": 1200,
                "iscrowd": 0,
            }
        )
        results.append(
            {
                "image_id": image,
                "category_id": 1,
                "bbox": [10 + image, 10, 40, 30],
                "score": 0.5 + image / 20,
            }
        )
    instances = {
        "images": [
            {"id": image, "file_name": f"{image}.png", "width": 80, "height": 60}
            for image in range(1, 7)
        ],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": annotations,
    }
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    (tmp_path / "results.json").write_text(json.dumps(results))
    (tmp_path / "cards.yaml").write_text(CARD)
    return tmp_path


PLUGIN = """
from pathlib import Path

from zoo import hookimpl

@hookimpl
def register_cards(register):
        register(Path(__file__).with_name("acme_cards.yaml"))
"""


ACME = """
schema: 2
cards:
  acme_net:
    architecture: yolox/yolox
    arguments: {depth: 0.33, width: 0.25, depthwise: true, size: 64}
    labels: [person]
    family: Acme
    licenses: {code: MIT, weights: LicenseRef-acme}
    parameters: 896_000_000
    input: {resize: letterbox, size: [64, 64], range: 255, channels: bgr, padding: 114}
"""


@pytest.fixture
def acme(give_plugin, tmp_path, monkeypatch):
    """A distribution of somebody else, with a model of its own."""
    give_plugin("acme", PLUGIN, version="2.5")
    (tmp_path / "site" / "acme_cards.yaml").write_text(ACME.replace("896_000_000", "896000000"))
    reload()
    yield
    monkeypatch.undo()
    reload()
