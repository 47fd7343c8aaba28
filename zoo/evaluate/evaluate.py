"""`zoo.evaluate`: from a model, or what it saw, and a data set to a report."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from zoo import data as data_sets
from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.evaluate.arguments import check_resampling
from zoo.evaluate.background import background
from zoo.evaluate.coco.flatten import FlatDetections
from zoo.evaluate.coco_files import SUFFIXES, read_flat
from zoo.evaluate.diagnostics.class_names import check_classes
from zoo.evaluate.diagnostics.diagnostics import AllDetections, diagnose, not_mentioned
from zoo.evaluate.diagnostics.image_sizes import DataWarning as DataWarning
from zoo.evaluate.diagnostics.image_sizes import check_names, check_sizes, warn_of_sizes
from zoo.evaluate.evaluator import Evaluator
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.predictions.parquet import SUFFIX
from zoo.evaluate.predictions.predictions import Predictions
from zoo.evaluate.predictions.provenance import now, software
from zoo.evaluate.report import Report, changed
from zoo.evaluate.settings import CocoSettings
from zoo.labels import match_labels
from zoo.labels.builtin import Labels
from zoo.text import pluralize

FEWEST = 100  # resamples whose percentiles at 2.5 % and 97.5 % mean something

if TYPE_CHECKING:
    import torch

    from zoo.contract import Predictor, Protocol


class _Taken(NamedTuple):
    """Facts of detections, the data set's classes that their model does not know, and
    remarks."""

    facts: Future[dict[str, str]]
    missing: tuple[str, ...]
    notes: Future[tuple[str, ...]]


def evaluate(  # noqa: PLR0913 - everything that can be said of a measurement in one place
    model: str | os.PathLike[str] | Predictor | Predictions,
    *,
    data: str | os.PathLike[str] | Dataset,
    protocol: str | Protocol | None = None,
    weights: bool | str | os.PathLike[str] = True,
    labels: Labels | None = None,
    device: torch.device | str | None = None,
    engine: str | None = None,
    batch_size: int | Literal["auto"] = "auto",
    to: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    settings: CocoSettings | None = None,
    policy: EdgeCasePolicy | None = None,
    resamples: int = 1000,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """The numbers of a model on a data set, with confidence intervals and provenance.

    model: a name or a `zoo.contract.Predictor`, as detectors and engines are, run by `predict`
        (protocol, weights, labels, device, engine, batch_size, to, fresh: see there); or
        `Predictions`, their `.parquet` file, or a COCO results list (`.json`).
    data: as `zoo.data.read` takes it: `coco:path/instances.json`.
    protocol: "uniform" by default; predictions keep their own, and another one is refused.
    settings, policy, resamples, seed: see `Evaluator`. `report.measured.notes` has what is odd.
    Raises: DataError naming file and record; LabelError if the model knows no class of the data;
        UsageError for an invalid option, or one without effect because no model is run; and the
        errors of `predict`.
    """
    check_resampling(resamples, seed)
    running: dict[str, Any] = {"weights": weights, "labels": labels, "device": device}
    running |= {"engine": engine, "batch_size": batch_size, "to": to, "fresh": fresh}
    results = _file(model, *SUFFIXES)
    if results or isinstance(model, Predictions) or _file(model, SUFFIX):
        _refuse_options(model, **running)
    with background(2) as beside:  # hashes and remarks are made while the kernel works
        earlier, versions = beside.submit(_seen_before, model), beside.submit(software)
        dataset, before = data_sets.read(data), earlier.result()
        if results or before is not None:
            _check_protocol(model, before.provenance if before is not None else {}, protocol)
        evaluator = Evaluator(dataset.truth, settings=settings, policy=policy)
        if results is not None:
            taken = _take_results(evaluator, results, dataset, beside)
        else:
            run = {**running, "progress": progress}
            predictions = before if before is not None else _run(model, dataset, protocol, run)  # type: ignore[arg-type]
            taken = _take(evaluator, predictions, dataset, beside)
        report = evaluator.compute(resamples=resamples, seed=seed)
    return _with_facts(report, dataset, taken, versions.result(), resamples)


def _with_facts(
    report: Report, dataset: Dataset, taken: _Taken, versions: Mapping[str, str], resamples: int
) -> Report:
    """The report with its notes and its provenance."""
    provenance = {"data": dataset.name, "data_sha256": dataset.sha256, "evaluated": now()}
    few = (
        (f"{pluralize(resamples, 'resample')} make no interval worth the name; 1000 do.",)
        if 0 < resamples < FEWEST
        else ()
    )
    notes = (*report.measured.notes, *dataset.notes, *taken.notes.result(), *few)
    measured = replace(report.measured, data=dataset.name, missing=taken.missing, notes=notes)
    return changed(report, measured=measured).with_provenance(
        {**versions, **taken.facts.result(), **provenance}
    )


def _run(
    model: str | os.PathLike[str] | Predictor,
    dataset: Dataset,
    protocol: str | Protocol | None,
    options: dict[str, Any],
) -> Predictions:
    """Runs a model and returns its predictions."""
    from zoo.evaluate.predictions.predict import (
        predict,
    )  # deferred: what was seen before needs no model, and no hub

    name = os.fspath(model) if isinstance(model, os.PathLike) else model
    return predict(
        name, data=dataset, protocol="uniform" if protocol is None else protocol, **options
    )


def _seen_before(model: object) -> Predictions | None:
    """The predictions that were handed over, or are in the file of that name."""
    if isinstance(model, Predictions):
        return model
    file = _file(model, SUFFIX)
    return Predictions.read(file) if file else None


def _refuse_options(model: object, **running: object) -> None:
    """Raises: UsageError naming what was asked of a run where there is none."""
    idle = {"weights": True, "labels": None, "device": None, "engine": None, "batch_size": "auto"}
    idle |= {"to": None, "fresh": False}
    if given := [name for name, value in running.items() if value != idle[name]]:
        what = os.fspath(model) if isinstance(model, str | os.PathLike) else "Predictions"
        raise UsageError(
            f"{what} {'were' if isinstance(model, Predictions) else 'was'} to be measured with "
            f"{' and '.join(f'{name}={running[name]!r}' for name in given)}.",
            "What was seen before is measured as it is: no model is run, and so that decides "
            "nothing.",
            "Leave it out, or name the model instead of the file.",
        )


def _check_protocol(
    model: object, facts: Mapping[str, str], protocol: str | Protocol | None
) -> None:
    """Raises: UsageError where detections were made under another protocol than the one asked for,
    or nobody knows."""
    if protocol is None:
        return
    from zoo.evaluate.predictions.predict import protocol_of  # deferred, as above

    asked = protocol_of(protocol)
    what = os.fspath(model) if isinstance(model, str | os.PathLike) else "What predictions hold"
    if facts.get("protocol_settings") != asked.to_json():
        made = (
            f"made under the protocol {facts['protocol']}"
            if "protocol" in facts
            else "made under settings that nobody states"
        )
        raise UsageError(
            f"{what} can't be measured under the protocol {asked.name}.",
            f"It was {made}, and is measured as it is.",
            "Leave the protocol out, or name the model instead of the file.",
        )


def _file(model: object, *suffixes: str) -> Path | None:
    """The file that `model` names, if it is of that kind."""
    named = isinstance(model, str | os.PathLike) and os.fspath(model).endswith(suffixes)
    return Path(model) if named else None  # type: ignore[arg-type]


def _take_results(evaluator: Evaluator, file: Path, dataset: Dataset, beside: Executor) -> _Taken:
    """Hands a foreign results list to the evaluator."""
    facts = beside.submit(_facts_of, file)
    flat = read_flat(file, evaluator.dataset)
    counts, ids = np.diff(flat.starts), evaluator.dataset.image_ids
    detections = AllDetections(
        np.repeat(np.arange(len(counts)), counts),
        np.ascontiguousarray(flat.boxes.T),
        flat.scores,
        flat.labels,
    )
    notes = beside.submit(
        lambda: (*not_mentioned(dataset, detections), *diagnose(dataset, detections))
    )
    if evaluator.policy.unseen_images == "leave out":
        evaluator.update(ids[counts > 0], flat.mentioned())
    else:
        evaluator.update(ids, flat)
    return _Taken(facts, (), notes)


def _facts_of(file: Path) -> dict[str, str]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"model": file.name.split(".json")[0], "results_sha256": digest}


def _take(
    evaluator: Evaluator, predictions: Predictions, dataset: Dataset, beside: Executor
) -> _Taken:
    """Hands over predictions."""
    missing = check_classes(
        predictions.label_space, dataset, model=predictions.provenance.get("model", "the model")
    )
    names = check_names(predictions, dataset)
    sizes = check_sizes(predictions, dataset)
    labels = predictions.labels.astype(np.int64)
    flat = FlatDetections(
        predictions.starts,
        predictions.boxes,
        predictions.scores,
        labels,
        {},
        "xyxy",
        predictions.label_space,
    )
    notes = beside.submit(
        lambda: (*names, *sizes, *diagnose(dataset, _seen_of(predictions, dataset)))
    )
    evaluator.update(predictions.image_ids, flat)
    warn_of_sizes(sizes, dataset)
    return _Taken(beside.submit(lambda: predictions.provenance), missing, notes)


def _seen_of(predictions: Predictions, dataset: Dataset) -> AllDetections:
    rows = np.repeat(
        np.searchsorted(dataset.truth.image_ids, predictions.image_ids), np.diff(predictions.starts)
    )
    sides = np.ascontiguousarray(predictions.boxes.T, np.float64)
    sides[2:] -= sides[:2]
    label_of = -1 - np.arange(len(predictions.names))  # what the data set does not have stays apart
    for ours, theirs in match_labels(predictions.label_space, dataset.label_space).pairs:
        label_of[ours] = theirs
    return AllDetections(rows, sides, predictions.scores, label_of[predictions.labels])
