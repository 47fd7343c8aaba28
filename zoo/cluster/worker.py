"""ModelWorker: holds one predictor in a process of its own, and runs it on shards of images."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cluster.files import locate
from zoo.cluster.job import (
    AbsentFiles,
    AbsentImages,
    Failed,
    Job,
    Ready,
    SentImage,
    SentModel,
)
from zoo.detections import Detections
from zoo.errors import ImageError, ZooError
from zoo.inference.batch_limit import BatchLimit, InputSize
from zoo.inference.detect import stream, window_bytes
from zoo.inference.plan import PlannedWindow, plan_batches

if TYPE_CHECKING:
    from zoo.detectors.detector import BasePredictor

Answer = tuple[Detections, ...] | AbsentImages | Failed


class ModelWorker:
    """Loads the model of a job, plans batches, and runs shards. It returns errors as answers: a
    raised one would look like the end of the process."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._predictor: BasePredictor | None = None

    def prepare(self, job: Job, contents: Mapping[str, bytes]) -> Ready | AbsentFiles | Failed:
        """Loads the model. contents: of the files, by role, that an earlier call reported as
        absent."""
        import torch  # deferred: the driver imports this module for its types alone

        device = job.device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device == "cpu":
            torch.set_num_threads(job.threads)
        try:
            model = locate(job.model, contents)
            if isinstance(model, AbsentFiles):
                return model
            predictor = load_model(model, device, job.threads)
            self._job, self._predictor = job, predictor
            return Ready(predictor.label_space, predictor.defaults, job.describe(predictor))
        except Exception as error:
            return Failed(sendable(error))

    def plan(self, sizes: Sequence[InputSize]) -> list[list[int]] | Failed:
        """The batches, as positions, that one process would form of images of these sizes."""
        job, predictor = self._current()
        limits = job.limits
        assert limits is not None
        limit = limit_of(job, predictor)
        most = window_bytes(job.batch_size, limits.memory)
        try:
            return list(plan_batches(sizes, predictor.input_size, limit, most_bytes=most))
        except Exception as error:
            return Failed(sendable(error))

    def detect(self, images: Sequence[SentImage], counts: Sequence[int]) -> Answer:
        """Detects in images. counts: the number of images in each batch, in order."""
        job, predictor = self._current()
        sources: list[Path | bytes] = []
        for image in images:
            source = source_of(image)
            if source is None:
                return AbsentImages(image.name)
            sources.append(source)
        window = PlannedWindow(counts, limit_of(job, predictor))
        detections: list[Detections] = []
        results = stream(
            predictor,
            sources,
            protocol=job.protocol,
            batch_size=max(counts),
            exif=job.protocol.exif,
            threads=job.threads,
            limits=job.limits,
            window=window,
        )
        try:
            detections.extend(results)
        except Exception as error:
            name = images[min(len(detections), len(images) - 1)].name
            return Failed(with_file_name(sendable(error), name), tuple(detections))
        return tuple(detections)

    def _current(self) -> tuple[Job, BasePredictor]:
        if self._job is None or self._predictor is None:
            raise RuntimeError("`prepare` comes first")
        return self._job, self._predictor


def limit_of(job: Job, predictor: BasePredictor) -> BatchLimit:
    """The limit of a batch, as in a single process."""
    return BatchLimit.of(predictor, job.batch_size)


def load_model(model: SentModel, device: str, threads: int) -> BasePredictor:
    """Loads a model that was sent."""
    if model.detector is not None:
        return model.detector.to(device)
    from zoo.detectors.load import load_resolved  # deferred, as above

    assert model.resolved is not None
    engine = model.engine
    if engine is not None and "threads=" not in engine:
        engine = f"{engine},threads={threads}"
    return load_resolved(model.resolved, labels=model.labels, device=device, engine=engine)


def source_of(image: SentImage) -> Path | bytes | None:
    """The image's path or content; None if this machine does not have it, or has another
    content."""
    try:
        content = image.content
        if content is not None:
            data = content() if callable(content) else content
            fits = image.sha256 in ("", hashlib.sha256(data).hexdigest())
            return data if fits else None
        with open(image.name, "rb") as file:
            fits = image.sha256 in ("", hashlib.file_digest(file, "sha256").hexdigest())
        return Path(image.name) if fits else None
    except (OSError, ZooError):
        return None


def with_file_name(error: Exception, name: str) -> Exception:
    """The error with the image's name in place of its number."""
    if (
        not isinstance(error, ImageError)
        or error.file is None
        or not error.file.startswith("image ")
    ):
        return error
    failure, case = (part.replace(error.file, name) for part in (error.failure, error.case))
    return type(error)(failure, case, error.fix, fix_cli=error.fix_cli, file=name)


def sendable(error: Exception) -> Exception:
    """The error without its traceback; a RuntimeError with its text if it can't be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error.with_traceback(None)
