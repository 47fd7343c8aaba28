"""`zoo.evaluate`: measures a model, or stored detections, on a data set."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from zoo import data as data_sets
from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.evaluate.arguments import check_resampling
from zoo.evaluate.background import background
from zoo.evaluate.coco_files import read_flat
from zoo.evaluate.deferred import replace_lazily
from zoo.evaluate.diagnostics.class_names import missing_classes
from zoo.evaluate.diagnostics.diagnostics import AllDetections, diagnose, not_mentioned
from zoo.evaluate.diagnostics.image_sizes import DataWarning as DataWarning
from zoo.evaluate.diagnostics.image_sizes import file_name_notes, image_size_notes, warn_of_sizes
from zoo.evaluate.evaluator import Evaluator
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.predictions.predictions import Predictions
from zoo.evaluate.predictions.provenance import now, software
from zoo.evaluate.report import Report
from zoo.evaluate.settings import CocoSettings
from zoo.evaluate.stored_detections import is_stored, results_path, stored_predictions
from zoo.labels import match_labels
from zoo.labels.builtin import Labels
from zoo.text import pluralize

MIN_RESAMPLES = 100  # fewer have no meaningful percentiles at 2.5 % and 97.5 %

if TYPE_CHECKING:
    import torch

    from zoo.contract import Predictor, Protocol


@dataclass(frozen=True)
class _RunOptions:
    """Options of `predict` that have no effect on stored detections, with their defaults."""

    weights: bool | str | os.PathLike[str] = True
    labels: Labels | None = None
    device: torch.device | str | None = None
    engine: str | None = None
    batch_size: int | Literal["auto"] = "auto"
    to: str | os.PathLike[str] | None = None
    fresh: bool = False

    def not_default(self) -> list[str]:
        """The names of the options that have another value than the default."""
        return [field.name for field in fields(self) if getattr(self, field.name) != field.default]


class _Measured(NamedTuple):
    """Detections that the evaluator has taken in.

    facts: their provenance. missing: classes of the data set that their model does not know.
    notes: remarks on them, computed in the background.
    """

    facts: Mapping[str, str]
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
    options = _RunOptions(weights, labels, device, engine, batch_size, to, fresh)
    stored = is_stored(model)
    if stored:
        _refuse_options(model, options)
    results = results_path(model)
    with background(2) as beside:  # hashes and notes are made while the kernel works
        reading, versions = beside.submit(stored_predictions, model), beside.submit(software)
        dataset, predictions = data_sets.read(data), reading.result()
        if stored:
            _check_protocol(model, predictions.provenance if predictions else {}, protocol)
        evaluator = Evaluator(dataset.truth, settings=settings, policy=policy)
        if results is not None:
            measured = _measure_results(evaluator, results, dataset, beside)
        else:
            if predictions is None:
                predictions = _run(model, dataset, protocol, options, progress)
            measured = _measure_predictions(evaluator, predictions, dataset, beside)
        report = evaluator.compute(resamples=resamples, seed=seed)
    return _with_facts(report, dataset, measured, versions.result(), resamples)


def _with_facts(
    report: Report,
    dataset: Dataset,
    detections: _Measured,
    versions: Mapping[str, str],
    resamples: int,
) -> Report:
    """The report with its notes and its provenance."""
    provenance = {"data": dataset.name, "data_sha256": dataset.sha256, "evaluated": now()}
    few = (
        (f"{pluralize(resamples, 'resample')} make no interval worth the name; 1000 do.",)
        if 0 < resamples < MIN_RESAMPLES
        else ()
    )
    notes = (*report.measured.notes, *dataset.notes, *detections.notes.result(), *few)
    measured = replace(report.measured, data=dataset.name, missing=detections.missing, notes=notes)
    return replace_lazily(report, measured=measured).with_provenance(
        {**versions, **detections.facts, **provenance}
    )


def _run(
    model: Any,
    dataset: Dataset,
    protocol: str | Protocol | None,
    options: _RunOptions,
    progress: bool | None,
) -> Predictions:
    """Runs a model and returns its predictions."""
    # deferred: stored detections need no model, and no hub
    from zoo.evaluate.predictions.predict import predict

    name = os.fspath(model) if isinstance(model, os.PathLike) else model
    under = "uniform" if protocol is None else protocol
    return predict(name, data=dataset, protocol=under, progress=progress, **vars(options))


def _refuse_options(model: object, options: _RunOptions) -> None:
    """Raises: UsageError naming the options that have no effect on stored detections."""
    if names := options.not_default():
        which = os.fspath(model) if isinstance(model, str | os.PathLike) else "Predictions"
        values = " and ".join(f"{name}={getattr(options, name)!r}" for name in names)
        have = "has" if len(names) == 1 else "have"
        raise UsageError(
            f"{which} can't be measured with {values}.",
            f"That {have} no effect on stored detections: no model is run.",
            "Leave it out, or name the model instead of the file.",
        )


def _check_protocol(
    model: object, facts: Mapping[str, str], protocol: str | Protocol | None
) -> None:
    """Raises: UsageError if the detections were made under another protocol than `protocol`, or
    don't say which."""
    if protocol is None:
        return
    from zoo.evaluate.predictions.predict import protocol_of  # deferred, as above

    requested = protocol_of(protocol)
    which = os.fspath(model) if isinstance(model, str | os.PathLike) else "Predictions"
    if facts.get("protocol_settings") != requested.to_json():
        actual = (
            f"They were made under the protocol {facts['protocol']}."
            if "protocol" in facts
            else "Nothing says under which protocol they were made."
        )
        raise UsageError(
            f"{which} can't be measured under the protocol {requested.name}.",
            f"{actual} Stored detections are measured as they are.",
            "Leave the protocol out, or name the model instead of the file.",
        )


def _measure_results(
    evaluator: Evaluator, file: Path, dataset: Dataset, beside: Executor
) -> _Measured:
    """Updates the evaluator with a COCO results list."""
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
        evaluator.update(ids[counts > 0], flat.only_images_with_detections())
    else:
        evaluator.update(ids, flat)
    return _Measured(facts.result(), (), notes)


def _facts_of(file: Path) -> dict[str, str]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"model": file.name.split(".json")[0], "results_sha256": digest}


def _measure_predictions(
    evaluator: Evaluator, predictions: Predictions, dataset: Dataset, beside: Executor
) -> _Measured:
    """Updates the evaluator with predictions."""
    missing = missing_classes(
        predictions.label_space, dataset, model=predictions.provenance.get("model", "the model")
    )
    names = file_name_notes(predictions, dataset)
    sizes = image_size_notes(predictions, dataset)
    notes = beside.submit(
        lambda: (*names, *sizes, *diagnose(dataset, _all_detections(predictions, dataset)))
    )
    evaluator.update(predictions.image_ids, predictions.flat())
    warn_of_sizes(sizes, dataset)
    return _Measured(predictions.provenance, missing, notes)


def _all_detections(predictions: Predictions, dataset: Dataset) -> AllDetections:
    """The predictions by rows and labels of the data set."""
    rows = np.repeat(
        np.searchsorted(dataset.truth.image_ids, predictions.image_ids), np.diff(predictions.starts)
    )
    sides = np.ascontiguousarray(predictions.boxes.T, np.float64)
    sides[2:] -= sides[:2]
    label_of = -1 - np.arange(len(predictions.names))  # negative: not in the data set
    for ours, theirs in match_labels(predictions.label_space, dataset.label_space).pairs:
        label_of[ours] = theirs
    return AllDetections(rows, sides, predictions.scores, label_of[predictions.labels])
