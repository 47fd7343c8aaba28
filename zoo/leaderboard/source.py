"""Where a row's numbers come from: a model that is run, or detections that are there already; and
what is known of the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import Dataset
from zoo.environment import expand_home
from zoo.errors import DataError, UsageError
from zoo.evaluate import Predictions, predict
from zoo.evaluate.coco_files import read_results
from zoo.evaluate.predictions import code
from zoo.evaluate.predictions.model_identity import card_sha256, plugin_of
from zoo.evaluate.predictions.parquet import PARQUET_SUFFIX
from zoo.evaluate.predictions.provenance import hardware, software
from zoo.labels import match_labels, space_of
from zoo.labels.builtin import OPEN
from zoo.leaderboard.board import Board, Row
from zoo.leaderboard.entry import RANDOM, UNKNOWN, Model, ModelWeights, Published, Setting
from zoo.registry import Choice, catalogue
from zoo.registry.folder import FILE_PREFIX
from zoo.timing.timed import same_weights
from zoo.weights.resolve import Resolved, choose, resolve, resolve_name

if TYPE_CHECKING:
    from zoo.detectors import Detector

ImageColumns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Source:
    """The detections of a model in a data set, and their provenance.

    detections: what `zoo.evaluate` measures: predictions, or the path of a results list.
    facts:      provenance that is known before anything is measured.
    protocol:   the settings they were made with, as far as anybody knows.
    images:     per image of the data set, in its order: boxes (n, 4) xyxy, scores, and labels in
                its label space.
    choice:     the model's card, and the weights of it that the row names.
    resolved:   the same with its verified files, where the model was run with trained weights.
    """

    detections: Predictions | Path
    facts: dict[str, str]
    protocol: dict[str, Setting]
    images: Sequence[ImageColumns]
    choice: Choice
    resolved: Resolved | None = None


def source_of(row: Row, dataset: Dataset, board: Board, *, folder: Path, **options: Any) -> Source:
    """Runs the model, unless that run is there already, or reads the detections. folder: what paths
    in `row` are relative to. options: `to`, `fresh` and `cluster` of `predict`."""
    registry = catalogue()
    if not isinstance(row.predictions, str):
        weights = weights_of(row, folder)
        choice = choose(registry, model_of(row, folder), weights)
        resolved = None if weights is False else resolve(registry, choice, weights)
        labels = labels_of(row, choice, dataset)
        model = resolved or _random(model_of(row, folder), labels)
        predictions = predict(
            model,
            data=dataset,
            protocol=board.settings,
            labels=labels if resolved else None,
            engine=row.engine,
            **options,
        )
        facts = {  # a detector at hand does not say them
            "plugin": plugin_of(choice),
            "card_sha256": card_sha256(choice),
        }
        predictions = replace(predictions, provenance=facts | predictions.provenance)
        return _of_predictions(predictions, dataset, choice, resolved)
    path = folder / row.predictions
    choice = resolve_name(registry, model_of(row, folder))
    if path.suffix == PARQUET_SUFFIX:
        return _of_predictions(Predictions.read(path), dataset, choice)
    _, results = read_results(path, dataset.truth)
    images = [
        {
            **result,
            "boxes": np.hstack(
                [result["boxes"][:, :2], result["boxes"][:, :2] + result["boxes"][:, 2:]]
            ),
        }
        for result in results
    ]
    facts = {
        "model": row.model,
        "results_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        **(row.provenance or {}),
    }
    if row.protocol is not None:
        facts["protocol_settings"] = json.dumps(row.protocol, sort_keys=True)
    return Source(path, facts, dict(row.protocol or {}), images, choice)


def _random(model: str, labels: str | list[str] | None) -> Detector:
    """The model with random weights, the same ones each time."""
    from zoo.detectors import load  # deferred: reading a finished entry needs no torch

    with same_weights():
        return load(model, weights=False, labels=labels)


def check_code(row: Row, source: Source) -> None:
    """Refuses to combine timing with accuracy of other code.

    Raises: DataError where the model's code has changed since its predictions were begun.
    """
    if row.predictions is not None or row.weights == RANDOM:
        return
    try:
        changed = code.of_choice(source.choice) != source.facts["code_sha256"]
    except UsageError:  # of a file that this process has imported
        changed = True
    if changed:
        raise DataError(
            f"{row.title} was measured and timed.",
            "Its code has changed in the meantime.",
            "Build the board again: zoo leaderboard build",
        )


def _of_predictions(
    predictions: Predictions, dataset: Dataset, choice: Choice, resolved: Resolved | None = None
) -> Source:
    facts = predictions.provenance
    settings = json.loads(facts["protocol_settings"]) if "protocol_settings" in facts else {}
    place = {image_id: row for row, image_id in enumerate(predictions.image_ids.tolist())}
    to = np.full(max(len(predictions.names), 1), -1)
    for ours, theirs in match_labels(predictions.label_space, dataset.label_space).pairs:
        to[ours] = theirs
    images = []
    for record in dataset.images:
        row = place.get(record.id)
        part = (
            slice(0, 0)
            if row is None
            else slice(int(predictions.starts[row]), int(predictions.starts[row + 1]))
        )
        met = to[predictions.labels[part]] >= 0
        columns = {
            "boxes": predictions.boxes[part],
            "scores": predictions.scores[part],
            "labels": to[predictions.labels[part]],
        }
        images.append({name: values[met] for name, values in columns.items()})
    return Source(predictions, dict(facts), settings, images, choice, resolved)


def weights_of(row: Row, folder: Path) -> bool | str:
    """A row's weights as `zoo.load` takes them; a relative path is relative to the board."""
    if row.weights is None or row.weights == RANDOM:
        return row.weights is None
    kind, _, path = row.weights.partition("file:")
    return f"file:{folder / expand_home(path)}" if path and not kind else row.weights


def model_of(row: Row, folder: Path) -> str:
    """A row's model as `zoo.load` takes it; a relative `file:` folder is relative to the board."""
    kind, _, path = row.model.partition(FILE_PREFIX)
    return f"{FILE_PREFIX}{folder / expand_home(path)}" if path and not kind else row.model


def labels_of(row: Row, choice: Choice, dataset: Dataset) -> str | list[str] | None:
    """The classes that a row's model is loaded for, as `zoo.load` takes them; None for its
    card's."""
    if row.labels is None and choice.entry.card.labels == OPEN:
        return list(dataset.label_space.names)
    return row.labels


def describe(row: Row, source: Source, *, folder: Path) -> Model:
    """Facts of the row's model: from its card, its weights and the network itself."""
    choice, card = source.choice, source.choice.entry.card
    trained = row.weights != RANDOM
    return Model(
        name=row.title,
        family=card.family,
        licenses=card.licenses_of(choice.weights),
        parameters=_count(choice, row.labels),
        input=list(card.input.size) if card.input else None,
        weights=_weights_file(row, source, folder),
        published=Published(
            parameters=card.parameters,
            claims=choice.weights.claims if choice.weights and trained else [],
        ),
        note=row.note,
    )


def fingerprint(row: Row, source: Source, dataset: Dataset, board: Board) -> str:
    """A fingerprint of everything that an entry depends on; where it is the same, the entry need
    not be made again."""
    passing = {"evaluated", "started", "finished", "seconds"}
    facts = {key: value for key, value in source.facts.items() if key not in passing}
    about = [
        repr(row),
        facts,
        source.protocol,
        dataset.sha256,
        board.resamples,
        repr(source.choice.entry.card),
        software(),
        code.of_detzoo(),
    ]
    timed = [hardware(), board.runs] if board.timing and row.predictions is None else None
    return hashlib.sha256(json.dumps([*about, timed], sort_keys=True).encode()).hexdigest()


def _count(choice: Choice, labels: str | list[str] | None) -> int:
    """Parameters of the network as it is built, which takes no memory."""
    import torch  # deferred: reading a finished entry needs none

    from zoo.detectors.build import build, example_space

    space = example_space(choice.entry.card) if labels is None else space_of(labels)
    with torch.device("meta"):
        detector = build(catalogue(), choice, space)
    return sum(parameter.numel() for parameter in detector.parameters())


def _weights_file(row: Row, source: Source, folder: Path) -> ModelWeights:
    weights = weights_of(row, folder)
    if weights is False:
        return ModelWeights(source=RANDOM)
    file = source.resolved.file if source.resolved else None
    if file is None:
        return _stored_weights(row, weights, source)
    return ModelWeights(
        source=source.facts.get("weights_source", file.source), sha256=file.sha256, bytes=file.bytes
    )


def _stored_weights(row: Row, weights: bool | str, source: Source) -> ModelWeights:
    """The weights of stored detections: the file that the row names, else what the detections
    say."""
    path = Path(str(weights).removeprefix("file:"))
    if row.weights and path.is_file():
        content = path.read_bytes()
        return ModelWeights(
            source=f"file:{path.name}",
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )
    named = source.facts.get("weights_source") or row.weights or UNKNOWN
    return ModelWeights(source=named, sha256=source.facts.get("weights_sha256"))
