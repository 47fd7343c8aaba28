"""A recipe: every number that defines a training run, as frozen data.

A field that a file or `--set` leaves out is the family's default (`zoo.train.defaults`); the recipe
that a run writes into its folder has all of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Amount = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Number = Annotated[int, Meta(ge=0)]
Range = Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=2)]


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a recipe: frozen, without unknown fields."""


class Step(Fields, frozen=True, tag_field="kind", tag=str.lower):
    """An augmentation, whose `kind` is its name."""


class Optimizer(Fields, frozen=True, kw_only=True):
    """The optimizer and its parameter groups.

    lr:              the highest learning rate, which nothing scales further.
    momentum:        of sgd, as Nesterov's.
    betas:           of adamw.
    decay_all:       whether norms and biases get weight decay too.
    backbone_factor: factor on the learning rate of the backbone's parameters.
    """

    name: Literal["sgd", "adamw"] = "adamw"
    lr: Positive = 1e-3
    momentum: Share = 0.9
    betas: Annotated[tuple[Share, ...], Meta(min_length=2, max_length=2)] = (0.9, 0.999)
    weight_decay: Amount = 5e-4
    decay_all: bool = False
    backbone_factor: Amount = 1.0


class Schedule(Fields, frozen=True, kw_only=True):
    """The learning rate over the steps: it rises to its highest in `warmup_steps`, and then falls.

    kind:   cosine and linear fall to `floor`; step multiplies by `factor` at each share of the run
        in `at`; constant does not fall.
    floor:  the last rate as a share of the highest.
    """

    kind: Literal["cosine", "linear", "step", "constant"] = "cosine"
    warmup_steps: Number = 100
    floor: Share = 0.05
    at: tuple[Share, ...] = (0.67, 0.92)
    factor: Share = 0.1


class EMA(Fields, frozen=True, kw_only=True):
    """The moving average of the weights, which is evaluated and saved in their place.

    decay:      share of the old average in the new one, once it is ramped up.
    ramp_steps: the decay after n steps is `decay * (1 - exp(-n / ramp_steps))`.
    """

    decay: Share = 0.9998
    ramp_steps: Count = 500


class MultiScale(Fields, frozen=True, kw_only=True):
    """Changes the input size every few steps.

    factors:  the smallest and largest factor on the model's own size.
    every:    number of steps with the same size.
    multiple: sizes are multiples of this, in pixels.
    """

    factors: Range = (0.75, 1.25)
    every: Count = 10
    multiple: Count = 32


class Flip(Step, frozen=True, kw_only=True):
    """Mirrors left and right."""

    probability: Share = 0.5


class Zoom(Step, frozen=True, kw_only=True):
    """Scale jitter: a window of another size than the image, anywhere that it overlaps it.

    factors: below 1 the image gets smaller, with padding around it; above 1 it is cut.
    visible: a box is dropped if less than this share of its area is left.
    """

    factors: Range = (0.5, 1.5)
    visible: Share = 0.25
    probability: Share = 1.0


class Crop(Step, frozen=True, kw_only=True):
    """Cuts to a window that contains every box completely.

    smallest: smallest share of the image's width and of its height.
    """

    smallest: Annotated[float, Meta(gt=0, le=1)] = 0.3
    probability: Share = 0.5


class Color(Step, frozen=True, kw_only=True):
    """Changes brightness, contrast, saturation and hue, each by up to its share, in one linear map:
    hues turn about grey, and luma stays."""

    brightness: Amount = 0.3
    contrast: Amount = 0.3
    saturation: Amount = 0.3
    hue: Annotated[float, Meta(ge=0, le=0.5)] = 0.02
    probability: Share = 1.0


class Mosaic(Step, frozen=True, kw_only=True):
    """Puts four images around a point, each resized to the model's input times a factor.

    visible: a box is dropped if less than this share of its area is left.
    """

    factors: Range = (0.5, 1.5)
    visible: Share = 0.25
    probability: Share = 0.5


class Mixup(Step, frozen=True, kw_only=True):
    """Blends with a second image, and adds its boxes.

    share: of the second image in each pixel.
    """

    share: Share = 0.5
    probability: Share = 0.15


class CopyPaste(Step, frozen=True, kw_only=True):
    """Pastes objects of another image by their masks, which the data set must have (as COCO's do).

    objects: probability of each object.
    factors: on the size of the other image, once it is resized to fit this one.
    visible: an object is dropped if less than this share of it is left.
    """

    objects: Share = 0.5
    factors: Range = (0.5, 1.5)
    visible: Share = 0.25
    probability: Share = 0.5


Augmentation = Flip | Zoom | Crop | Color | Mosaic | Mixup | CopyPaste
MIXING = (Mosaic, Mixup, CopyPaste)  # they need other images


class Recipe(Fields, frozen=True, kw_only=True):
    """A training run.

    model, weights, labels, data, validation: as for `zoo.train`; `weights: random` starts from
        random weights.
    validation_share: share of the images that is split off for validation, by a hash of their ids,
        if the data has no split `val` and `validation` is not set; 0 splits none off.
    backbone:    a model with a backbone of the same kind, whose weights the run begins with; all
        other weights are those of `weights`.
    to:          the folder of the run.
    seed:        of everything random: order, augmentation, dropout, sizes and new weights.
    batch_size:  images per step, over all processes and micro-batches. In a file, `auto` is the
        batch size of the family's default, in as few micro-batches as memory allows.
    accumulate:  micro-batches that a process computes one after the other in each step.
    steps:       of the whole run; `epochs` is the same in passes over the images.
    size:        of the network's input, as a card's `input.size`; null is the model's own.
    freeze:      names of modules whose weights, and those of all modules below, stay: `[backbone]`.
    batch_norm:  train (statistics follow the batches), sync (those of all processes together),
        fixed (statistics stay as loaded), frozen (weight and bias stay as well).
    precision:   of the network's arithmetic; the two short types by autocast.
    clip:        the largest norm of all gradients together; null does not clip.
    plain_share: last share of the steps, without mosaic, mixup, copypaste and multi-scale.
    validate_every: steps between validations; null is about 20 in a run, at most one per epoch.
    best:        number of the report that chooses the best weights: the first of equal ones or,
        while it is 0, the last.
    patience:    validations without a better number after which the run ends; null never ends it.
    checkpoint_every: steps between checkpoints; null is one per minute.
    workers:     processes that read and augment images; null is what fits the machine.
    overfit_check: whether a copy must first learn a single batch.
    compile, channels_last: for a GPU.
    """

    model: str | None = None
    weights: str | None = None
    backbone: str | None = None
    labels: str | tuple[str, ...] | None = None
    data: str | None = None
    validation: str | None = None
    validation_share: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    to: str | None = None
    seed: Number = 0
    batch_size: Count = 8
    accumulate: Count = 1
    epochs: Positive | None = None
    steps: Count | None = None
    size: Annotated[tuple[Count, ...], Meta(min_length=2, max_length=2)] | None = None
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    freeze: tuple[str, ...] = ()
    batch_norm: Literal["train", "sync", "fixed", "frozen"] = "train"
    ema: EMA | None = EMA()
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    clip: Positive | None = None
    multi_scale: MultiScale | None = None
    augment: tuple[Augmentation, ...] = (Flip(),)
    plain_share: Share = 0.1
    validate_every: Count | None = None
    best: str = "AP"
    patience: Count | None = None
    checkpoint_every: Count | None = None
    workers: Number | None = None
    overfit_check: bool = True
    compile: bool = False
    channels_last: bool = False

    def total_steps(self, images: int) -> int:
        """The steps of the run on that many images; 1 or more."""
        if self.steps is not None:
            return self.steps
        return max(1, -(-round((self.epochs or 1) * images) // self.batch_size))
