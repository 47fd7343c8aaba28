"""The check before a long run: a copy of the detector has to learn one batch by heart, and find its
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
ROUNDS = 4  # of that many steps, at most, until the detections match
LONG = 20 * STEPS  # a run of fewer steps is not checked
IMAGES = 8
RATES = (1e-3, 1e-4)  # of AdamW; whether the recipe's own is right is not asked here
FALL = 0.9  # the loss has to get below this share of the first
LEARNED = 0.5  # below this share, detections that mean something have to be the right ones
BY_HEART = 0.05  # below this one, there have to be some
LAST = 5  # steps whose lowest loss counts
log = logging.getLogger("zoo")


def check_one_batch(detector: Detector, samples: Samples, folder: Path) -> tuple[float, float]:
    """The loss of one batch before and after.

    Raises: TrainError with the losses, if it does not fall, or if it falls and what the detector
        finds in the batch are not its boxes; the images with their boxes are kept.
    """
    micro_batch, rows = _first_batch(samples)
    tried = []
    for rate in RATES:
        learner = _Learner(copy.deepcopy(detector), micro_batch, samples, rate)
        learner.learn(STEPS)
        if learner.fell:
            _check_found(learner, rows, folder)
            return _total(learner.before), _total(learner.after)
        tried.append((learner.before, learner.after))
    before, after = min(tried, key=lambda pair: _total(pair[1]))
    kept = _keep(samples, rows, detector, folder / "overfit")
    parts = ", ".join(f"{name} {before[name]:.3g} to {after[name]:.3g}" for name in before)
    raise TrainError(
        f"{_name(detector)} can't learn {samples.dataset.name}.",
        f"The loss of one batch of {len(rows)} images went from {_total(before):.3g} to "
        f"{_total(after):.3g} in {STEPS} steps ({parts}). Its images, with the boxes to "
        f"learn, are in {kept}.",
        "See whether each box is on its object, and its class the right one; to train all the "
        "same: --set overfit_check=false",
    )


def _check_found(learner: _Learner, rows: Sequence[int], folder: Path) -> None:
    """Learns on until the detections match.

    Raises: TrainError if the loss says that they have to, and they do not.
    """
    images = [learner.samples.load(row).image for row in rows]
    for left in reversed(range(ROUNDS)):
        recall = found_in(learner.detector, learner.micro_batch, images)
        if recall.is_found:
            return
        if left:
            learner.learn(STEPS)
    share = _total(learner.after) / _total(learner.before)
    if share < BY_HEART or (share < LEARNED and recall.certain >= recall.boxes / 2):
        raise _no_match(learner, recall, rows, folder)
    log.warning(
        "%s has an AP50 of %.3g on one batch after %d steps on it, too few to say whether what it "
        "detects will match: see whether AP rises at the first validations.",
        *(_name(learner.detector), recall.ap50, len(learner.history)),
    )


def _no_match(learner: _Learner, recall: Recall, rows: Sequence[int], folder: Path) -> TrainError:
    kept = _keep(learner.samples, rows, learner.detector, folder / "overfit")
    return TrainError(
        f"{_name(learner.detector)} learns {learner.samples.dataset.name}, but its detections "
        "don't match.",
        f"The loss of one batch of {len(rows)} images fell from {_total(learner.before):.3g} to "
        f"{_total(learner.after):.3g} in {len(learner.history)} steps, and AP50 on that batch is "
        f"{recall.ap50:.3g}, not even {FOUND:g}. {recall.meaning} Its images, with the boxes to "
        f"find, are in {kept}.",
        "Compare what loss learns with what decode gives; `zoo check` tests a detector of one's "
        "own. To train all the same: --set overfit_check=false",
    )


def _name(detector: Detector) -> str:
    return detector.name or type(detector).__name__


def _total(parts: Mapping[str, float]) -> float:
    total = sum(parts.values())
    return total if math.isfinite(total) else math.inf


def _first_batch(samples: Samples) -> tuple[MicroBatch, list[int]]:
    """The first images with objects, as they are: not augmented, of the model's size."""
    most = min(IMAGES, samples.recipe.batch_size)
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
    """A detector that learns one batch. history: the losses at each step."""

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
        return min(self.history[-LAST:], key=_total)

    @property
    def fell(self) -> bool:
        after = _total(self.after)
        return math.isfinite(after) and after < FALL * _total(self.before)

    def learn(self, steps: int) -> None:
        """Goes on for that many steps, or to a loss that is not a number."""
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


def _keep(samples: Samples, rows: Sequence[int], detector: Detector, folder: Path) -> Path:
    """The images of a batch with their boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        sample = samples.load(row)
        save(truth_image(sample, detector.label_space), folder / f"{number}.jpg")
    return folder
