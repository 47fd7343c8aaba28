"""Validates by the shared evaluator, with exactly the same numbers for any number of processes."""

from __future__ import annotations

from typing import cast

from torch import distributed

from zoo.contract.protocol import Protocol
from zoo.data import Dataset
from zoo.detections import Detections
from zoo.detectors import Detector
from zoo.errors import LabelError, UsageError
from zoo.evaluate import EdgeCasePolicy, Evaluator
from zoo.inference.detect import detect
from zoo.labels import LabelSpace, match_labels
from zoo.suggest import close_matches, join_or

PROTOCOL = "uniform"


def measure(
    detector: Detector, dataset: Dataset, *, batch_size: int, rank: int = 0, processes: int = 1
) -> dict[str, float]:
    """The headline numbers of a detector on a data set, the same in every process, without
    undefined ones.

    The batches are the same for any number of processes.
    """
    evaluator = Evaluator(dataset.truth, analyses=False)
    starts = range(rank * batch_size, len(dataset), batch_size * processes)
    for start in starts:
        records = dataset.images[start : start + batch_size]
        detections = detect(
            detector,
            [record.source() for record in records],
            protocol=Protocol.named(PROTOCOL),
            batch_size=batch_size,
            progress=False,
            threads=0,
        )
        evaluator.update([record.id for record in records], cast(list[Detections], detections))
    if processes > 1:
        states: list[bytes] = [b""] * processes
        distributed.all_gather_object(states, evaluator.state())
        evaluator = Evaluator.from_state(states[0], dataset.truth)
        for state in states[1:]:
            evaluator.merge(Evaluator.from_state(state, dataset.truth))
    return {name: value for name, value in evaluator.numbers().items() if value >= 0}


def check_classes(model: LabelSpace, dataset: Dataset) -> None:
    """Raises: LabelError if the model and the data set have no class in common."""
    if match_labels(model, dataset.label_space).pairs:
        return
    case = "They have no class in common: the validation data has {}, the model learns {}."
    fix = "Name validation data with the classes that are learned, or leave {} out."
    raise LabelError(
        f"{dataset.name} can't measure this model.",
        case.format(dataset.label_space.title, model.title),
        fix.format("validation"),
        fix_cli=fix.format("--validation"),
    )


def check_best(name: str, dataset: Dataset) -> None:
    """Raises: UsageError if the evaluator has no such number."""
    nothing_seen = EdgeCasePolicy(unseen_images="empty")
    numbers = Evaluator(dataset.truth, policy=nothing_seen, analyses=False).numbers()
    if name not in numbers:
        alike = close_matches(name, numbers) or list(numbers)
        raise UsageError(
            "The recipe can't be used.",
            f"best: the evaluator has no number '{name}'.",
            f"Did you mean {join_or(alike)}?",
        )
