"""Validates the arguments of an evaluator before any work; errors say what to pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from zoo.data.ground_truth import GroundTruth
from zoo.errors import UsageError
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.settings import CocoSettings
from zoo.text import type_name

_FIXES = {
    "dataset": "Pass `Dataset.truth`, or what `zoo.evaluate.coco_files.read` gives.",
    "settings": "Pass CocoSettings(…).",
    "policy": "Pass EdgeCasePolicy(…), or EdgeCasePolicy.pycocotools().",
}


def check_evaluator(dataset: object, settings: object, policy: object, threads: object) -> None:
    """Raises: UsageError for what no evaluator is made with."""
    arguments = {
        "dataset": (dataset, GroundTruth),
        "settings": (settings, CocoSettings),
        "policy": (policy, EdgeCasePolicy),
    }
    for name, (value, kind) in arguments.items():
        if not isinstance(value, kind) and (value is not None or name == "dataset"):
            case = f"'{name}' takes {kind.__name__}, not {type_name(value)}."
            raise UsageError(f"Evaluator({name}=…) can't be used.", case, _FIXES[name])
    if threads is not None and not _is_whole(threads, 1):
        raise UsageError(
            f"threads={threads!r} can't be used.",
            "'threads' is a whole number, at least 1.",
            "Write threads=2.",
        )


def check_resampling(resamples: object, seed: object, level: object = 0.95) -> None:
    """Raises: UsageError for numbers that no resampling can have."""
    for name, value, fix in (
        ("resamples", resamples, "Write resamples=1000, or 0 for no intervals."),
        ("seed", seed, "Write for example seed=0."),
    ):
        if not _is_whole(value, 0):
            raise UsageError(
                f"{name}={value!r} can't be used.", f"'{name}' is a whole number, at least 0.", fix
            )
    if resamples == 1:
        case = "An interval is a range of many replicates; of one it has no width."
        raise UsageError(
            "resamples=1 can't be used.", case, "Write resamples=1000, or 0 for no intervals."
        )
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise UsageError(
            f"level={level!r} can't be used.",
            "'level' lies between 0 and 1.",
            "Write for example level=0.95.",
        )


def check_image_ids(image_ids: Iterable[Any]) -> None:
    """Raises: UsageError for one id where a list is wanted: text would be taken for a list of
    letters."""
    if (
        isinstance(image_ids, str)
        or not isinstance(image_ids, Iterable)
        or not getattr(image_ids, "shape", True)
    ):
        raise UsageError(
            f"Detections of {image_ids!r} were handed over.",
            "The ids of images come as a list.",
            f"Pass [{image_ids!r}].",
        )


def _is_whole(value: object, least: int) -> bool:
    return (
        isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least
    )
