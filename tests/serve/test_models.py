"""Models by name: the first is the default, a tag may be left out where one is meant; a thread that
does not come back is seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

import pytest
import torch

from zoo.contract import Thresholds
from zoo.contract.protocol import Protocol
from zoo.errors import ContractError, NameNotFound, UsageError
from zoo.images import Image, read
from zoo.serve.metrics import Metrics
from zoo.serve.models import Models
from zoo.serve.options import SCORE, Options

WAIT = 20.0
GRAY = Image(torch.full((3, 30, 40), 200, dtype=torch.uint8), "gray")
PROTOCOL = Protocol(score=0.1)
Make = Callable[..., Models]


@pytest.fixture
def models_of() -> Iterator[Make]:
    """(predictors) -> the models; their threads end with the test."""
    made: list[Models] = []

    def make(*predictors: object, metrics: Metrics | None = None, **options: object) -> Models:
        settings = Options(**options)  # type: ignore[arg-type]
        made.append(Models(predictors, settings, metrics or Metrics()))  # type: ignore[arg-type]
        return made[-1]

    yield make
    assert all([models.close(seconds=WAIT) for models in made])


def test_a_tag_may_be_left_out_where_one_model_is_meant(flat: Callable, models_of: Make) -> None:
    names = ("cells.a", "street.a", "street.b", "street.b.c")
    models = models_of(*(flat(name=name) for name in names))
    assert models.find(None).name == "cells.a"
    assert models.find("cells").name == "cells.a"
    assert [models.find(name).name for name in names] == list(names)
    for name in ("street", "", "cells.", "CELLS.A", "b"):
        with pytest.raises(NameNotFound, match=r"There is cells\.a, street\.a"):
            models.find(name)
    with pytest.raises(NameNotFound, match=r"Did you mean 'street\.a'"):
        models.find("stret.a")
    with pytest.raises(NameNotFound) as refused:
        models.find("x" * 5000)
    assert len(str(refused.value)) < 500


def test_each_needs_a_name_of_its_own(flat: Callable) -> None:
    with pytest.raises(UsageError, match="None was named"):
        Models([], Options(), Metrics())
    with pytest.raises(UsageError, match=r"Two are called 'flat\.toy'"):
        Models([flat(), flat(name="b"), flat()], Options(), Metrics())
    nameless = flat(name="")
    with pytest.raises(UsageError, match="Two are called 'Flat'"):
        Models([nameless, nameless], Options(), Metrics())


def test_facts_are_those_of_the_predictor(flat: Callable, models_of: Make) -> None:
    models = models_of(flat(), flat(name="other.toy"))
    assert models.facts()[0] == {
        "name": "flat.toy",
        "default": True,
        "classes": ["cat", "dog"],
        "weights_sha256": None,
        "thresholds": {"score": 0.3, "iou": 0.5, "max_boxes": 10},
    }
    assert [facts["default"] for facts in models.facts()] == [True, False]


def test_weights_are_told_by_their_hash(models_of: Make) -> None:
    import zoo

    detector = zoo.load("yolox_pico")
    [facts] = models_of(detector).facts()
    assert facts["weights_sha256"] == detector.weights.sha256
    assert facts["classes"] == list(detector.label_space.names)


def test_a_gray_image_and_a_batch_of_them_are_what_each_sees_first(
    flat: Callable, models_of: Make
) -> None:
    shapes: list[tuple[int, ...]] = []

    def note(images: Sequence[torch.Tensor]) -> None:
        shapes.extend(tuple(image.shape) for image in images)

    model = flat(on_batch=note)
    [served] = models_of(model, max_batch=4, max_wait_ms=10_000)
    served.warm()
    assert shapes == [(3, 480, 640)] * 5
    assert model.batches == [1, 4]

    def fail(images: Sequence[torch.Tensor]) -> None:
        raise ValueError("broken")

    [broken] = models_of(flat(on_batch=fail))
    with pytest.raises(ContractError, match="broken"):
        broken.warm()


def test_the_first_look_is_a_jpeg_with_every_box(
    flat: Callable, models_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[bytes] = []
    scores: list[float] = []

    def note_file(data: bytes, **options: Any) -> Image:
        files.append(data)
        return read(data, **options)

    model = flat()
    predict = model.predict

    def note_score(images: Sequence[torch.Tensor], thresholds: Thresholds) -> object:
        scores.append(thresholds.score)
        return predict(images, thresholds)

    model.predict = note_score
    monkeypatch.setattr("zoo.serve.models.read", note_file)
    [served] = models_of(model)
    served.warm()
    assert [data[:3] for data in files] == [b"\xff\xd8\xff"]
    assert scores == [0.0, SCORE]


def test_a_thread_that_does_not_come_back_is_seen(flat: Callable, models_of: Make) -> None:
    began, free = threading.Event(), threading.Event()

    def hold(images: Sequence[torch.Tensor]) -> None:
        began.set()
        assert free.wait(WAIT)

    models = models_of(flat(), flat(name="slow.toy", on_batch=hold))
    assert not models.is_stuck(0.01)
    future = models.find("slow").batcher.submit(GRAY, PROTOCOL)
    assert began.wait(WAIT)
    until = monotonic() + WAIT
    while not models.is_stuck(0.01):
        assert monotonic() < until
    assert not models.is_stuck(WAIT)
    assert not models.close(seconds=0.01)
    free.set()
    assert len(future.result(WAIT).detections) == 1
    assert models.close(seconds=WAIT)
    assert models.is_stuck(WAIT)  # its threads have ended: nothing is answered any more


def test_batches_and_waiting_images_are_counted(flat: Callable, models_of: Make) -> None:
    metrics = Metrics()
    models = models_of(flat(), metrics=metrics)
    models.find(None).batcher.submit(GRAY, PROTOCOL).result(WAIT)
    models.close(seconds=WAIT)
    text = metrics.text().decode()
    assert 'zoo_batch_images_sum{model="flat.toy"} 1.0' in text
    assert 'zoo_waiting_images{model="flat.toy"} 0.0' in text
