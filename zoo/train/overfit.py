"""Checks, before a long run, that a copy of the detector can memorise one batch and detect its
boxes."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from zoo.contract import Target
from zoo.detectors import Detector
from zoo.draw import save
from zoo.errors import TrainError
from zoo.train.objective import Objective
from zoo.train.optimizer import train_mode
from zoo.train.overfit_detections import FOUND, Recall, found_in
from zoo.train.samples import MicroBatch, MicroBatchSpan, Samples
from zoo.train.sheets import truth_image

STEPS = 40
MAX_ROUNDS = 4  # of `STEPS` steps each, until the detections match
MIN_RUN_STEPS = 20 * STEPS  # shorter runs are not checked
MAX_IMAGES = 8
RATES = (1e-3, 1e-4)  # of AdamW; the recipe's own rate is not checked
# Shares of the first loss. A loss above the first one has not fallen; below the second one, certain
# detections must be right; below the third one, the boxes must be detected.
FALL_SHARE, LEARNED_SHARE, MEMORISED_SHARE = 0.9, 0.5, 0.05
LAST_STEPS = 5  # whose lowest loss counts
log = logging.getLogger("zoo")


def check_one_batch(detector: Detector, samples: Samples, folder: Path) -> tuple[float, float]:
    """The total loss of one batch before and after training on it.

    Raises: TrainError with the losses, if the loss does not fall, or if it falls and the detector
        does not find the batch's boxes; the images with their boxes are saved.
    """
    micro_batch, rows = _first_batch(samples)
    losses = []
    for rate in RATES:
        learner = _Learner(copy.deepcopy(detector), micro_batch, samples, rate)
        learner.learn(STEPS)
        if learner.fell:
            _check_found(learner, rows, folder)
            return _total(learner.before), _total(learner.after)
        losses.append((learner.before, learner.after))
    before, after = min(losses, key=lambda pair: _total(pair[1]))
    images_folder = _save_images(samples, rows, detector, folder / "overfit")
    parts = ", ".join(f"{name} {before[name]:.3g} to {after[name]:.3g}" for name in before)
    raise TrainError(
        f"{_name(detector)} can't learn {samples.dataset.name}.",
        f"The loss of one batch of {len(rows)} images went from {_total(before):.3g} to "
        f"{_total(after):.3g} in {STEPS} steps ({parts}). Its images, with the boxes to "
        f"learn, are in {images_folder}.",
        "Check that each box is on its object and has the right class; to train anyway: "
        "--set overfit_check=false",
    )


def _check_found(learner: _Learner, rows: Sequence[int], folder: Path) -> None:
    """Continues learning until the detections match.

    Raises: TrainError if they don't, although the loss is low enough.
    """
    images = [learner.samples.load(row).image for row in rows]
    for left in reversed(range(MAX_ROUNDS)):
        recall = found_in(learner.detector, learner.micro_batch, images)
        if recall.is_found:
            return
        if left:
            learner.learn(STEPS)
    share = _total(learner.after) / _total(learner.before)
    if share < MEMORISED_SHARE or (share < LEARNED_SHARE and recall.certain >= recall.boxes / 2):
        raise _no_match(learner, recall, rows, folder)
    log.warning(
        "%s has an AP50 of %.3g on one batch after %d steps on it, too few to tell whether its "
        "detections will match: check that AP rises at the first validations.",
        *(_name(learner.detector), recall.ap50, len(learner.history)),
    )


def _no_match(learner: _Learner, recall: Recall, rows: Sequence[int], folder: Path) -> TrainError:
    images_folder = _save_images(learner.samples, rows, learner.detector, folder / "overfit")
    return TrainError(
        f"{_name(learner.detector)} learns {learner.samples.dataset.name}, but its detections "
        "don't match.",
        f"The loss of one batch of {len(rows)} images fell from {_total(learner.before):.3g} to "
        f"{_total(learner.after):.3g} in {len(learner.history)} steps, and AP50 on that batch is "
        f"{recall.ap50:.3g}, not even {FOUND:g}. {recall.meaning} Its images, with the boxes to "
        f"find, are in {images_folder}.",
        "Compare the boxes that loss learns with those that decode returns; `zoo check` tests your "
        "own detector. To train anyway: --set overfit_check=false",
    )


def _name(detector: Detector) -> str:
    return detector.name or type(detector).__name__


def _total(parts: Mapping[str, float]) -> float:
    total = sum(parts.values())
    return total if math.isfinite(total) else math.inf


def _first_batch(samples: Samples) -> tuple[MicroBatch, list[int]]:
    """The first images with objects, without augmentation and in the model's size, with their
    rows."""
    most = min(MAX_IMAGES, samples.recipe.batch_size)
    truth = samples.dataset.truth
    is_learned = samples.lookup[torch.from_numpy(truth.labels.astype("int64"))] >= 0
    with_objects = dict.fromkeys(truth.images[is_learned.numpy() & ~truth.crowd].tolist())
    rows = list(with_objects)[:most] or [0]
    loaded = [samples.load(row) for row in rows]
    batch = samples.preprocess([sample.image for sample in loaded])
    targets = tuple(Target(sample.boxes, sample.labels) for sample in loaded)
    return MicroBatch(MicroBatchSpan(0, range(len(rows)), 1.0), batch, targets), rows


@dataclass
class _Learner:
    """Trains a detector on one batch. history: the losses at each step."""

    detector: Detector
    micro_batch: MicroBatch
    samples: Samples
    rate: float
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        train_mode(self.detector, self.samples.recipe)
        self.micro_batch = self.micro_batch.to(self.detector.device)
        self.objective = Objective(self.detector)
        parameters = self.detector.parameters()
        self.trained = [parameter for parameter in parameters if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=self.rate, weight_decay=0.0)

    @property
    def before(self) -> dict[str, float]:
        return self.history[0]

    @property
    def after(self) -> dict[str, float]:
        return min(self.history[-LAST_STEPS:], key=_total)

    @property
    def fell(self) -> bool:
        after = _total(self.after)
        return math.isfinite(after) and after < FALL_SHARE * _total(self.before)

    def learn(self, steps: int) -> None:
        """Runs that many steps, or stops at a loss that is not finite."""
        for _ in range(steps):
            torch.manual_seed(len(self.history))
            losses = self.objective(self.micro_batch.batch, self.micro_batch.targets)
            self.history.append({name: float(value.detach()) for name, value in losses.items()})
            if not math.isfinite(_total(self.history[-1])):
                break
            self.optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.trained, 10.0)
            self.optimizer.step()


def _save_images(samples: Samples, rows: Sequence[int], detector: Detector, folder: Path) -> Path:
    """Saves the images of a batch with their boxes, and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        sample = samples.load(row)
        save(truth_image(sample, detector.label_space), folder / f"{number}.jpg")
    return folder
