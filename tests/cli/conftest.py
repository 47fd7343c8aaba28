"""A shell for the tests of the command line."""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from safetensors.torch import save_file

from zoo.cli import main
from zoo.data import Dataset
from zoo.registry import reload


@dataclass(frozen=True)
class Answer:
    """What a command wrote, and its exit code."""

    out: str
    err: str
    code: int


@pytest.fixture
def shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """Runs `zoo` with these words in this process, with a catalogue of its own."""

    def run(*words: str) -> Answer:
        reload()
        monkeypatch.setattr(sys, "argv", ["zoo", *words])
        try:
            main()
            code = 0
        except SystemExit as exit:
            code = int(exit.code or 0)
        return Answer(*capsys.readouterr(), code)

    yield run
    gc.unfreeze()
    reload()


CARDS = """
    schema: 2
    aliases: {mine: my_faster}
    cards:
      my_faster:
        architecture: torchvision/fasterrcnn_resnet50_fpn
        summary:
          A detector that was trained on images from a building site, with care and with a summary
          longer than one line.
        family: Faster R-CNN
        labels: coco91
        input:
          resize: shortest_edge
          size: [800, 1333]
          mean: [0.485, 0.456, 0.406]
          std: [0.229, 0.224, 0.225]
        parameters: 41755286
        parameters_note: with frozen batch norm
        gflops: 134.38
        licenses: {code: BSD-3-Clause}
        default: v2
        weights:
          v1:
            note: The first attempt.
            files:
              model:
                - kind: hub
                  repo: acme/detectors
                  revision: 0123456789abcdef0123456789abcdef01234567
                  sha256: 258fb6c6aaaa
                - {kind: url, url: "https://example.org/a/rather/long/address/of/a/file/that/must/not/be/cut/my_faster-258fb6c6.pth"}
          v2:
            megabytes: 159.7
            post_load: {frozen_bn_eps: 0.0}
            licenses: {weights: CC-BY-4.0}
            files:
              model:
                - {kind: package, package: acme, file: weights/v2.safetensors}
                - {kind: file, path: v2.safetensors}
            claims:
              - {dataset: coco_val2017, metric: AP, value: 37.0, source: "https://example.org/paper"}
      my_helmets:
        architecture: yolox/yolox
        arguments: {depth: 0.33, width: 0.25}
        labels: [helmet, vest]
        input: {resize: letterbox, size: [416, 416], range: 255, channels: bgr, padding: 114}
        licenses: {code: Apache-2.0, weights: Apache-2.0}
"""


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's registry file with two models, `my_faster` and `my_helmets`, and the alias
    `mine`."""
    path = tmp_path / "my cards.yaml"
    path.write_text(dedent(CARDS))
    monkeypatch.setenv("ZOO_REGISTRY", str(path))
    return path


SITE = """
schema: 2
cards:
  site:
    architecture: yolox/yolox
    labels: [helmet]
    weights:
      best: {files: {model: [{kind: file, path: best.safetensors}]}}
      other: {files: {model: [{kind: file, path: other.safetensors}]}}
"""


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder to work in, with the trained models `a/site` and `b/site`, of one name and other
    weights."""
    for number, place in enumerate(("a/site", "b/site")):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "card.yaml").write_text(SITE)
        save_file({"w": torch.full((2,), float(number))}, folder / "best.safetensors")
        save_file({"w": torch.full((3,), float(number))}, folder / "other.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def data(street: Dataset) -> str:
    return f"coco:{street.truth.name}"


@pytest.fixture
def results(street: Dataset, tmp_path: Path) -> Callable[..., Path]:
    """Writes a COCO results list that finds every box, some pixels off."""

    def write(name: str, *, off: float = 0.0) -> Path:
        truth = street.truth
        rows = [
            {
                "image_id": image,
                "category_id": truth.label_space.ids[label],
                "bbox": [x + off, y, w, h],
                "score": 0.5 + 0.01 * row,
            }
            for row, (image, label, (x, y, w, h)) in enumerate(
                zip(
                    truth.image_ids[truth.images].tolist(),
                    truth.labels.tolist(),
                    truth.xywh.tolist(),
                    strict=True,
                )
            )
        ]
        (tmp_path / name).write_text(json.dumps(rows))
        return tmp_path / name

    return write
