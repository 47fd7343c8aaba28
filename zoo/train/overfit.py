"""The check before a long run: a copy of the detector has to learn one batch by heart."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from zoo.contract import Target
from zoo.detectors import Detector
from zoo.draw import save
from zoo.errors import TrainError
from zoo.train.objective import Objective
from zoo.train.optimizer import train_mode
from zoo.train.samples import Part, Samples, Share
from zoo.train.sheets import truth_image

STEPS = 40
LONG = 20 * STEPS  # a run of fewer steps is not checked
IMAGES = 8
RATES = (1e-3, 1e-4)  # of AdamW; whether the recipe's own is right is not asked here
FALL = 0.9  # the loss has to get below this share of the first
LAST = 5  # steps whose lowest loss counts


def check_one_batch(detector: Detector, samples: Samples, folder: Path) -> tuple[float, float]:
    """The loss of one batch before and after.

    Raises: TrainError with the losses, if it does not fall; the images with their boxes are kept.
    """
    share, rows = _batch(samples)
    tried = []
    for rate in RATES:
        history = _learn(copy.deepcopy(detector), share, samples, rate)
        before, after = history[0], min(history[-LAST:], key=_total)
        if math.isfinite(_total(after)) and _total(after) < FALL * _total(before):
            return _total(before), _total(after)
        tried.append((before, after))
    before, after = min(tried, key=lambda pair: _total(pair[1]))
    kept = _keep(samples, rows, detector, folder / "overfit")
    parts = ", ".join(f"{name} {before[name]:.3g} to {after[name]:.3g}" for name in before)
    raise TrainError(
        f"{detector.name or type(detector).__name__} can't learn {samples.dataset.name}.",
        f"The loss of one batch of {len(rows)} images went from {_total(before):.3g} to "
        f"{_total(after):.3g} in {STEPS} steps ({parts}). Its images, with the boxes to "
        f"learn, are in {kept}.",
        "See whether each box is on its object, and its class the right one; to train all the "
        "same: --set overfit_check=false",
    )


def _total(parts: Mapping[str, float]) -> float:
    total = sum(parts.values())
    return total if math.isfinite(total) else math.inf


def _batch(samples: Samples) -> tuple[Share, list[int]]:
    """The first images with objects, as they are: not augmented, of the model's size."""
    most = min(IMAGES, samples.recipe.batch_size)
    truth = samples.dataset.truth
    known = samples.lookup[torch.from_numpy(truth.labels.astype("int64"))] >= 0
    with_objects = dict.fromkeys(truth.images[known.numpy() & ~truth.crowd].tolist())
    rows = list(with_objects)[:most] or [0]
    loaded = [samples.load(row) for row in rows]
    batch = samples.preprocess([sample.image for sample in loaded])
    targets = tuple(Target(sample.boxes, sample.labels) for sample in loaded)
    return Share(Part(0, range(len(rows)), 1.0), batch, targets), rows


def _learn(
    detector: Detector, share: Share, samples: Samples, rate: float
) -> list[dict[str, float]]:
    """The losses at each step."""
    train_mode(detector, samples.recipe)
    objective = Objective(detector)
    trained = [parameter for parameter in detector.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    share = share.to(detector.device)
    history = []
    for step in range(STEPS):
        torch.manual_seed(step)
        losses = objective(share.batch, share.targets)
        history.append({name: float(value.detach()) for name, value in losses.items()})
        if not math.isfinite(_total(history[-1])):
            break
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 10.0)
        optimizer.step()
    return history


def _keep(samples: Samples, rows: Sequence[int], detector: Detector, folder: Path) -> Path:
    """The images of a batch with their boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        sample = samples.load(row)
        save(truth_image(sample, detector.label_space), folder / f"{number}.jpg")
    return folder
