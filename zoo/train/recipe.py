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
    """A part of a recipe: frozen, and without fields that it does not know."""


class Step(Fields, frozen=True, tag_field="kind", tag=str.lower):
    """An augmentation, whose `kind` is its name."""


class Optimizer(Fields, frozen=True, kw_only=True):
    """The optimizer and its parameter groups.

    lr:              the highest rate, as it is used: nothing scales it any more.
    momentum:        of sgd, which is Nesterov's.
    betas:           of adamw.
    decay_all:       weight decay also for norms and biases, which have none otherwise.
    backbone_factor: on the rate of the backbone's parameters.
    """

    name: Literal["sgd", "adamw"] = "adamw"
    lr: Positive = 1e-3
    momentum: Share = 0.9
    betas: Annotated[tuple[Share, ...], Meta(min_length=2, max_length=2)] = (0.9, 0.999)
    weight_decay: Amount = 5e-4
    decay_all: bool = False
    backbone_factor: Amount = 1.0


class Schedule(Fields, frozen=True, kw_only=True):
    """The rate over the steps: it rises to its highest in `warmup_steps`, and then falls.

    kind:   cosine and linear fall to `floor`; step multiplies by `factor` at each share of the run
        in `at`; constant stays.
    floor:  share of the highest rate at the end.
    """

    kind: Literal["cosine", "linear", "step", "constant"] = "cosine"
    warmup_steps: Number = 100
    floor: Share = 0.05
    at: tuple[Share, ...] = (0.67, 0.92)
    factor: Share = 0.1


class EMA(Fields, frozen=True, kw_only=True):
    """The moving average of the weights, which is evaluated and kept instead of them.

    decay:      share of the average that stays at a step, once it is ramped up.
    ramp_steps: the decay after n steps is `decay * (1 - exp(-n / ramp_steps))`.
    """

    decay: Share = 0.9998
    ramp_steps: Count = 500


class MultiScale(Fields, frozen=True, kw_only=True):
    """Another input size every few steps.

    factors:  the smallest and largest factor on the model's own size.
    every:    steps of the same size.
    multiple: sizes are multiples of this.
    """

    factors: Range = (0.75, 1.25)
    every: Count = 10
    multiple: Count = 32


class Flip(Step, frozen=True, kw_only=True):
    """Exchanges left and right."""

    probability: Share = 0.5


class Zoom(Step, frozen=True, kw_only=True):
    """Scale jitter: a window of another size than the image, anywhere that it overlaps it.

    factors: below 1 the image gets smaller, with padding around it; above 1 it is cut. A box of
        which less than `visible` is left is dropped.
    """

    factors: Range = (0.5, 1.5)
    visible: Share = 0.25
    probability: Share = 1.0


class Crop(Step, frozen=True, kw_only=True):
    """Cuts to a window that holds every box whole.

    smallest: least share of the image's width and height.
    """

    smallest: Annotated[float, Meta(gt=0, le=1)] = 0.3
    probability: Share = 0.5


class Color(Step, frozen=True, kw_only=True):
    """Brightness, contrast, saturation and hue, each by up to its share, in one linear map: a hue
    turns about grey, and keeps its luma."""

    brightness: Amount = 0.3
    contrast: Amount = 0.3
    saturation: Amount = 0.3
    hue: Annotated[float, Meta(ge=0, le=0.5)] = 0.02
    probability: Share = 1.0


class Mosaic(Step, frozen=True, kw_only=True):
    """Puts four images around a point, each of the size of the model's input times a factor.

    A box of which less than `visible` is left is dropped.
    """

    factors: Range = (0.5, 1.5)
    visible: Share = 0.25
    probability: Share = 0.5


class Mixup(Step, frozen=True, kw_only=True):
    """Blends with a second image, whose boxes are added.

    share: of the second image in each pixel.
    """

    share: Share = 0.5
    probability: Share = 0.15


class CopyPaste(Step, frozen=True, kw_only=True):
    """Pastes objects of another image by their masks, which the data set has to have (COCO's).

    objects: the chance of each object. factors: on the other image, once it is fitted to this one.
    visible: an object of which less is left is dropped.
    """

    objects: Share = 0.5
    factors: Range = (0.5, 1.5)
    visible: Share = 0.25
    probability: Share = 0.5


Augmentation = Flip | Zoom | Crop | Color | Mosaic | Mixup | CopyPaste
MIXING = (Mosaic, Mixup, CopyPaste)  # those that need other images


class Recipe(Fields, frozen=True, kw_only=True):
    """A training run.

    model, weights, labels, data, validation: as `zoo.train` takes them, for a recipe that names
        them; `weights: random` starts without any.
    validation_share: of the images, split off by a hash of their ids to be measured, where the data
        has no split `val` and `validation` names nothing; 0 measures nothing.
    backbone:    a model whose backbone's weights the run begins with; the model's own is of the
        same kind. Everything else is as `weights` has it.
    to:          the folder of the run.
    seed:        of everything random: order, augmentation, dropout, sizes and new weights.
    batch_size:  images a step, over all processes and parts of it. In a file, `auto` takes the
        batch that the family's rate is of, in as few parts as memory holds, which is tried out.
    accumulate:  parts that a process computes one after the other.
    steps:       in all; `epochs` says it in passes over the images instead.
    size:        of the network's input, as a card's `input.size`; null is the model's own.
    freeze:      modules by name, with all below them, whose weights stay: `[backbone]`.
    batch_norm:  train (statistics follow the batches), sync (those of all processes together),
        fixed (statistics stay as loaded), frozen (weight and bias stay as well).
    precision:   of the network's arithmetic; the two short ones by autocast.
    clip:        the largest norm of all gradients together; null is none.
    plain_share: last share of the steps, without mosaic, mixup, copypaste and multi-scale.
    validate_every: steps between validations; null is about 20 in a run, at most one an epoch.
    best:        number of the report by which weights are the best: the first of equal ones; as
        long as it is 0, the last.
    patience:    validations without a better number that end the run; null never does.
    checkpoint_every: steps between checkpoints; null is one a minute.
    workers:     processes that read and augment images; null is what fits the machine.
    overfit_check: learn one batch first, on a copy, and stop if that fails.
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
