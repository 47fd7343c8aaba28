"""Looks at the images of a run on a cluster, with the batches that one process would form of all of
them, whichever are done: so the bits are the same, whatever was interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pickle import dumps
from typing import TYPE_CHECKING

import numpy as np

from zoo.cluster import Cluster
from zoo.cluster.files import content_of
from zoo.cluster.job import Job, SentImage, SentModel
from zoo.cluster.shards import shards_of
from zoo.data import Dataset, ImageRecord
from zoo.data.dataset import files_to_open
from zoo.data.file_hashes import hashes
from zoo.data.image_files import read_header, upright, upright_sizes
from zoo.errors import UsageError
from zoo.evaluate.predictions import code
from zoo.evaluate.predictions.model_identity import ModelIdentity
from zoo.evaluate.predictions.provenance import hardware, software
from zoo.evaluate.predictions.run_model import ModelOutput, ModelRun, RunRequest
from zoo.images import Limits

if TYPE_CHECKING:
    from zoo.detectors.detector import BasePredictor
    from zoo.registry import Choice

LARGEST_CALL = 4096  # bytes of a function that makes an image, to be sent instead of the image
_HARDWARE = ("processor", "threads", "system", "device")


@contextmanager
def on_cluster(request: RunRequest, cluster: Cluster) -> Iterator[ModelRun]:
    """The model in the workers of a cluster.

    Raises: ClusterError; UsageError for an engine at hand, which can't be sent.
    """
    identity, dataset, todo = request.identity, request.dataset, request.todo
    files = identity.resolved.files if identity.resolved else {}
    model = sent_model(identity)
    choice = identity.resolved.choice if identity.resolved else None
    job = Job(
        identity.name,
        model,
        request.protocol,
        partial(facts_of_predictor, choice=choice),
        batch_size=request.batch_size,
        device=request.device,
        limits=Limits.in_force(),
        threads=cluster.connection.threads,
    )
    expected = software() | {
        key: identity.facts[key] for key in ("code_sha256", "engine") if key in identity.facts
    }
    with cluster.pool(
        job,
        expected=expected,
        contents=lambda roles: {role: content_of(files[role]) for role in roles},
        most=len(todo),
    ) as pool:
        ready = pool.ready()
        batches = pool.plan(sizes_of(dataset))
        shards = shards_of(batches, todo, workers=cluster.connection.workers)
        images = SentImages(dataset, local=cluster.address.is_local)
        requested = set(todo)
        outputs = (
            ModelOutput(dataset.images[position], detections, _hardware(worker.facts))
            for position, detections, worker in pool.detect(shards, images)
            if position in requested
        )
        yield ModelRun(ready.label_space, ready.defaults, _hardware(ready.facts), outputs)


def sent_model(identity: ModelIdentity) -> SentModel:
    """The model as it is sent: by its card and files, or a detector with its weights.

    Raises: UsageError for an engine at hand.
    """
    if identity.resolved is not None:
        return SentModel(identity.resolved, identity.labels, identity.request)
    if identity.engine is not None:
        raise UsageError(
            f"{identity.name} can't be sent to a cluster.",
            "It is an engine at hand, which lives in this process.",
            f"Name the model instead: predict('{identity.name}', engine='{identity.engine}', …)",
        )
    from zoo.detectors import Detector  # deferred: torch

    detector = identity.load()
    if not isinstance(detector, Detector):
        raise UsageError(
            f"{identity.name} can't be sent to a cluster.",
            "It is not a zoo.Detector, whose weights and code are known.",
            "Run it in this process: leave cluster out.",
        )
    return SentModel(detector=detector.to("cpu"))


def facts_of_predictor(predictor: BasePredictor, *, choice: Choice | None) -> dict[str, str]:
    """The facts of a model where it was loaded: its code, what computes it, software, hardware."""
    facts = {**software(), **hardware(predictor.device)}
    if choice is not None:
        facts["code_sha256"] = code.of_choice(choice)
    else:
        facts["code_sha256"] = code.of_detector(predictor)  # type: ignore[arg-type]
    if predictor.engine:
        from zoo.inference.runner import optional_members  # deferred: torch

        version = optional_members(predictor).version or ""
        facts["engine"] = f"{predictor.engine} {version}".strip()
    return facts


def _hardware(facts: dict[str, str]) -> dict[str, str]:
    return {key: facts[key] for key in _HARDWARE if key in facts}


def sizes_of(dataset: Dataset) -> list[tuple[int, int]]:
    """(height, width) of each image: as annotated, else by its header; (1, 1) for what can't be
    read, which says so when its turn comes."""
    sizes = np.nan_to_num(dataset.sizes).astype(np.int64)
    unknown = np.flatnonzero((sizes <= 0).any(axis=1)).tolist()
    records = [dataset.images[position] for position in unknown]
    in_files = [
        (position, record)
        for position, record in zip(unknown, records, strict=True)
        if record.content is None
    ]
    if in_files:
        paths = files_to_open([record for _, record in in_files])
        sizes[[position for position, _ in in_files]] = upright_sizes(paths)
    for position, record in zip(unknown, records, strict=True):
        if record.content is not None:
            header = read_header(BytesIO(record.source()))  # type: ignore[arg-type]
            sizes[position] = upright(header[:2], header[2]) if header else (0, 0)
    return [(max(1, height), max(1, width)) for width, height in sizes.tolist()]


class SentImages:
    """Images of a data set as workers take them.

    local: workers are on this machine, and open its files; others say where a file is missing or
        has another content, and are sent it.
    """

    def __init__(self, dataset: Dataset, *, local: bool) -> None:
        self._dataset = dataset
        self._local = local
        self._digests: dict[str, str] | None = None

    def __call__(self, positions: Sequence[int], with_content: bool) -> list[SentImage]:
        """Those at positions. with_content: the worker has no files."""
        records = [self._dataset.images[position] for position in positions]
        files = iter(files_to_open([record for record in records if record.content is None]))
        return [
            self._in_memory(record)
            if record.content is not None
            else self._file(os.path.abspath(next(files)), with_content)
            for record in records
        ]

    def _file(self, path: str, with_content: bool) -> SentImage:
        sha256 = "" if self._local else self._file_hashes().get(path, "")
        if not with_content:
            return SentImage(path, sha256)
        with open(path, "rb") as file:
            return SentImage(path, sha256, file.read())

    def _in_memory(self, record: ImageRecord) -> SentImage:
        if self._local and callable(record.content) and _is_small(record.content):
            return SentImage(record.path.name, "", record.content)
        return SentImage(record.path.name, "", record.source())  # type: ignore[arg-type]

    def _file_hashes(self) -> dict[str, str]:
        """The SHA-256 of every file, by its path."""
        if self._digests is None:
            records = [record for record in self._dataset.images if record.content is None]
            paths = files_to_open(records)
            names = map(os.path.abspath, paths)
            self._digests = dict(zip(names, hashes(paths), strict=True))
        return self._digests


def _is_small(content: Callable[[], bytes]) -> bool:
    """Whether a function that makes an image is shorter than the image would be."""
    try:
        return len(dumps(content)) <= LARGEST_CALL
    except Exception:  # a lambda, or what holds an open file
        return False
