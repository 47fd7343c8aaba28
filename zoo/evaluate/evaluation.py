"""`zoo.evaluate`: from a model, or what it saw, and a data set to a report."""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo import data as data_sets
from zoo.data import Dataset
from zoo.errors import DataError
from zoo.evaluate.coco import read_results
from zoo.evaluate.evaluator import Evaluator
from zoo.evaluate.inference import check_classes, predict
from zoo.evaluate.parquet import SUFFIX
from zoo.evaluate.policy import Policy
from zoo.evaluate.predictions import Predictions
from zoo.evaluate.provenance import now, software
from zoo.evaluate.report import Report
from zoo.evaluate.settings import Settings

if TYPE_CHECKING:
    import torch

    from zoo.detectors import Detector, Protocol

RESULTS = ".json"


class DataWarning(UserWarning):
    """Something about a data set that may spoil a number."""


def evaluate(  # noqa: PLR0913 - everything that can be said of a measurement in one place
    model: str | os.PathLike[str] | Detector | Predictions,
    *,
    data: str | os.PathLike[str] | Dataset,
    protocol: str | Protocol = "uniform",
    weights: bool | str | os.PathLike[str] = True,
    device: torch.device | str | None = None,
    batch_size: int | Literal["auto"] = "auto",
    to: str | os.PathLike[str] | None = None,
    settings: Settings | None = None,
    policy: Policy | None = None,
    resamples: int = 1000,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """The numbers of a model on a data set, with confidence intervals and provenance.

    model: a name or a detector, which is run as `predict` does it (protocol, weights, device, batch_size, to: see there); or what
           was seen before: `Predictions`, their `.parquet` file, or a COCO results list in a `.json` file.
    data:  as `zoo.data.read` takes it: `coco:path/instances.json`.
    settings, policy, resamples, seed: see `Evaluator`.
    Raises: DataError naming file and record; LabelError where the model knows no class of the data; and what `predict` raises.
    """
    dataset = data_sets.read(data)
    evaluator = Evaluator(dataset.truth, settings=settings, policy=policy)
    missing: tuple[str, ...] = ()
    if results := _file(model, RESULTS):
        facts = _take_results(evaluator, results)
    else:
        if isinstance(model, Predictions):
            seen = model
        elif file := _file(model, SUFFIX):
            seen = Predictions.read(file)
        else:
            seen = predict(
                os.fspath(model) if isinstance(model, os.PathLike) else model,
                data=dataset,
                protocol=protocol,
                weights=weights,
                device=device,
                batch_size=batch_size,
                to=to,
                progress=progress,
            )
        facts, missing = seen.provenance, _take(evaluator, seen, dataset)
    report = evaluator.compute(resamples=resamples, seed=seed)
    told = {"data": dataset.name, "data_sha256": dataset.sha256, "evaluated": now()}
    measured = replace(report.measured, data=dataset.name, missing=missing)
    return replace(report, measured=measured).with_provenance({**software(), **facts, **told})


def _file(model: object, suffix: str) -> Path | None:
    """The file that `model` names, if it is of that kind."""
    return Path(model) if isinstance(model, str | os.PathLike) and os.fspath(model).endswith(suffix) else None


def _take_results(evaluator: Evaluator, file: Path) -> dict[str, str]:
    """Hands over somebody else's results list; returns what is known of it."""
    ids, rows = read_results(file, evaluator.dataset)
    evaluator.update(ids, rows, box_format="xywh")
    return {"model": file.stem, "results_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def _take(evaluator: Evaluator, seen: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """Hands over predictions; returns the data set's classes that the model does not know."""
    missing = check_classes(seen.space, dataset, model=seen.provenance.get("model", "the model"))
    _check_pictures(seen, dataset)
    evaluator.update(seen.image_ids, list(seen))
    return missing


def _check_pictures(seen: Predictions, dataset: Dataset) -> None:
    """Raises: DataError where most pictures have another size than annotated; warns where some have."""
    sizes = {photo.id: (photo.height, photo.width) for photo in dataset.images}
    both = [
        (image_id, tuple(size), sizes[image_id])
        for image_id, size in zip(seen.image_ids.tolist(), seen.sizes.tolist(), strict=True)
        if image_id in sizes and None not in sizes[image_id]
    ]
    other = [one for one in both if one[1] != one[2]]
    if not other:
        return
    image_id, (height, width), (as_height, as_width) = other[0]
    case = (
        f"{len(other)} of {len(both)} pictures have another size than is annotated; "
        f"image {image_id!r} is {width} x {height} pixels, annotated as {as_width} x {as_height}."
    )
    if 2 * len(other) > len(both):
        raise DataError(
            f"Predictions of {seen.provenance.get('model', 'a model')} were to be measured on {dataset.name}.",
            case,
            "These are other pictures: predict on the ones that were annotated.",
        )
    warnings.warn(f"{dataset.name}: {case} Where they are turned, see Protocol(exif='ignore').", DataWarning, stacklevel=4)
