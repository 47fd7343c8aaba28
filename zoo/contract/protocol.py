"""Thresholds of one decode, and a protocol: every setting on the way from images to detections that
moves a measured number."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from numbers import Integral, Real
from typing import Literal

from zoo.errors import NameNotFound, UsageError
from zoo.suggest import check_choices, did_you_mean


@dataclass(frozen=True)
class Thresholds:
    """Limits that `decode` applies. A family has its own as `defaults`.

    score:     detections below it are dropped, in [0, 1].
    iou:       non-maximum suppression within a class drops a box that overlaps a better one by
               more, in [0, 1]; families without suppression ignore it, and say 1.
    max_boxes: the most detections of an image, best first; at least 1.
    Raises: UsageError for a value out of its range.
    """

    score: float
    iou: float
    max_boxes: int

    def __post_init__(self) -> None:
        for name in ("score", "iou", "max_boxes"):
            check_threshold(name, getattr(self, name), of="Thresholds")


def check_threshold(name: str, value: object, *, of: str) -> None:
    """Raises: UsageError unless the value can be the threshold of that name. of: where it was
    given."""
    if name == "max_boxes":
        fits = _is(value, Integral) and value >= 1  # type: ignore[operator]
        case, example = "It is a whole number, at least 1.", "max_boxes=100"
    else:
        fits = _is(value, Real) and 0 <= value <= 1  # type: ignore[operator]
        case, example = "A threshold is a number from 0 to 1.", f"{name}=0.5"
    if not fits:
        shell = f"Write for example --{example.replace('_', '-').replace('=', ' ')}."
        fix = f"Write for example {example}."
        raise UsageError(f"{of}({name}={value!r}) can't be used.", case, fix, fix_cli=shell)


def _is(value: object, kind: type) -> bool:
    """True and False are whole numbers to Python, and a mistake here."""
    return isinstance(value, kind) and not isinstance(value, bool)


CANDIDATES = 10_000  # of an image, for suppression across classes
CHOICES = ("nms", "resize", "precision", "exif")
OPTIONAL = ("wrapper", "engine", "prompts")  # part of the settings only if they are given


@dataclass(frozen=True)
class Protocol:
    """Settings of a run; None keeps the family's own threshold (`Predictor.defaults`).

    score:     detections below it are dropped, in [0, 1].
    iou:       non-maximum suppression drops a box that overlaps a better one by more, in [0, 1];
               families without it ignore this.
    max_boxes: the limit of detections per image, best first.
    nms:       suppression acts within a "class", as every family's `decode` does it, or on "all"
               boxes, whatever their class: then `detect` does it once more on all that was
               decoded, and takes the best `max_boxes` of what is left. A family without
               suppression has no iou for it, so that one has to be given.
    resize:    images are resized as the "card" says: each model gets the input it was trained for.
    precision: of the network's arithmetic; the two short ones by autocast.
    exif:      "apply" turns images upright, which is what annotators saw; "ignore" takes them as
               they are stored.
    wrapper:   what runs the detector in another way, with its settings, such as sliced inference or
               test-time augmentation; None is the detector itself.
    engine:    what computes the network if that is not torch, such as "onnxruntime".
    prompts:   what a model with an open vocabulary is told; None is the names of the classes.

    `wrapper` and `prompts` describe imported results only: no run of the zoo applies them. The last
    three are in the fingerprint only if set.
    Raises: UsageError for a setting that can't be.
    """

    score: float | None = None
    iou: float | None = None
    max_boxes: int | None = None
    nms: Literal["class", "all"] = "class"
    resize: Literal["card"] = "card"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    exif: Literal["apply", "ignore"] = "apply"
    wrapper: str | None = None
    engine: str | None = None
    prompts: str | None = None

    def __post_init__(self) -> None:
        for name in ("score", "iou", "max_boxes"):
            value = getattr(self, name)
            if value is not None:
                check_threshold(name, value, of="Protocol")
        if any(getattr(self, name) != getattr(Protocol, name) for name in CHOICES):
            check_choices(self)  # defaults need no check, and every `detect` makes a protocol
        for name in OPTIONAL:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value.strip()):
                raise UsageError(
                    f"Protocol({name}={value!r:.80}) can't be used.",
                    f"{name} is a text, or None.",
                    f"Describe it in a few words, or leave {name} out.",
                )

    @classmethod
    def named(cls, name: str) -> Protocol:
        """`uniform` or `native`, see `PROTOCOLS`. Raises: NameNotFound for another name."""
        if name not in PROTOCOLS:
            case = f"There are {' and '.join(PROTOCOLS)}."
            fix = did_you_mean(name, PROTOCOLS, otherwise="Take one, or pass a zoo.Protocol.")
            raise NameNotFound(f"No protocol named '{name}'.", case, fix)
        return PROTOCOLS[name]

    @property
    def name(self) -> str:
        """The name it goes by in `PROTOCOLS`, else `custom`."""
        return next((name for name, protocol in PROTOCOLS.items() if protocol == self), "custom")

    @property
    def sha256(self) -> str:
        """A fingerprint of the settings, as 64 hex digits; numbers of different fingerprints are
        never compared."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def settings(self) -> dict[str, str | float | int | None]:
        """The settings by name, omitting wrapper, engine and prompts if unset."""
        settings = asdict(self)
        return {
            name: value
            for name, value in settings.items()
            if value is not None or name not in OPTIONAL
        }

    def to_json(self) -> str:
        """The settings by name, in one line; null is the family's own."""
        return json.dumps(self.settings, sort_keys=True)

    def thresholds(self, defaults: Thresholds) -> Thresholds:
        """The thresholds of this protocol, open ones filled from `defaults`.

        Raises: UsageError where all boxes are to be suppressed, and neither says by which overlap.
        """
        if self.nms == "all" and self.iou is None and defaults.iou == 1:
            raise UsageError(
                'Protocol(nms="all", iou=None) can\'t be used with this model.',
                "Its family suppresses no boxes, and so has no iou of its own.",
                'Say which overlap is too much: Protocol(nms="all", iou=0.65).',
            )
        limits = {name: getattr(self, name) for name in ("score", "iou", "max_boxes")}
        return replace(
            defaults, **{name: value for name, value in limits.items() if value is not None}
        )

    def decoding(self, defaults: Thresholds) -> Thresholds:
        """The thresholds that `decode` is given: where boxes of other classes are suppressed
        afterwards, it keeps more than are wanted in the end."""
        thresholds = self.thresholds(defaults)
        if self.nms == "class":
            return thresholds
        return replace(thresholds, max_boxes=max(CANDIDATES, thresholds.max_boxes))

    def filled(self, defaults: Thresholds) -> Protocol:
        """This protocol with its open thresholds filled from `defaults`."""
        return replace(self, **asdict(self.thresholds(defaults)))


# uniform: the same thresholds for every model, for tables that compare (docs/adr/0008 says why
# these).
# native:  every family's own thresholds, for numbers that are held against claims.
PROTOCOLS = {"uniform": Protocol(score=0.01, iou=0.65, max_boxes=100), "native": Protocol()}
