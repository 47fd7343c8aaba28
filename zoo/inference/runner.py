"""Runs a predictor on a batch of images: in eval mode, errors named by their step, detections
checked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from zoo.contract.predictor import OptionalMembers, StepError, is_out_of_memory
from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.errors import ContractError, ImageError
from zoo.images import Image
from zoo.inference.defect_owner import defect_owner, last_step
from zoo.inference.signal_handlers import is_of_signal_handler
from zoo.inference.watch import WATCH
from zoo.text import pluralize, type_name

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

# Pixels by which a box may leave its image: scaling boxes back rounds in float32, which is that
# coarse at 20,000 pixels.
BOX_TOLERANCE = 0.01

_loans: WeakKeyDictionary[nn.Module, _Loan] = WeakKeyDictionary()
_loans_lock = threading.Lock()


def optional_members(predictor: Predictor) -> OptionalMembers:
    """The optional members of a predictor."""
    names = [member.name for member in fields(OptionalMembers) if hasattr(predictor, member.name)]
    return OptionalMembers(**{name: getattr(predictor, name) for name in names})


class BatchRunner:
    """Runs a predictor on one batch of images after the other, under a protocol."""

    def __init__(self, predictor: Predictor, protocol: Protocol) -> None:
        self._predictor = predictor
        self._protocol = protocol
        self._thresholds = protocol.thresholds(predictor.defaults)
        self._decoding = protocol.decoding(predictor.defaults)
        self._name = predictor.name or type(predictor).__name__

    def input_size(self, image: Image) -> tuple[int, int]:
        """The network's input `(height, width)` for an image.

        Raises:
            ImageError: the network can't take an image of that size.
            ContractError: the predictor's code failed.
        """
        height, width = image.size
        try:
            with self._explain_errors([image]), step("input_size"):
                size = self._predictor.input_size(height, width)
        except ImageError as error:  # the family does not know which image it is
            refusal = f"'{self._name}' can't process {_shown_image(image)}."
            raise ImageError(refusal, error.case, error.fix, file=image.source) from error
        if not _is_size(size):
            case = f"Its input_size returned {size!r:.60}, not two whole numbers, (height, width)."
            raise self._defect([image], case)
        return size

    def run(self, images: Sequence[Image]) -> list[Detections]:
        """Detections of each image; they all have one input size.

        Raises:
            ContractError: the predictor's code failed, or returned something other than detections.
            torch.OutOfMemoryError, MemoryError, RuntimeError: memory ran out (`is_out_of_memory`).
        """
        predictions = self._predict(images)
        for detections, image in zip(predictions, images, strict=True):
            if flaw := detections_flaw(self._predictor, detections, image.size):
                defect = f"'{self._name}' returned invalid detections for {_shown_image(image)}."
                raise ContractError(defect, flaw, defect_owner(self._predictor))
        return [
            _own_copy(self._suppress_across_classes(detections), image)
            for detections, image in zip(predictions, images, strict=True)
        ]

    def release(self) -> None:
        """Frees what the predictor holds between two batches."""
        release = optional_members(self._predictor).release
        if release is not None:
            release()

    def too_large(self, image: Image, error: Exception) -> ImageError:
        """The error for an image for which memory ran out."""
        says = str(error).partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
        return ImageError(
            f"'{self._name}' can't process {_shown_image(image)}.",
            f"There is not enough memory: {says:.200}.",
            "Free some, make the image smaller, or choose another device or a smaller model.",
            file=image.source,
        )

    def _predict(self, images: Sequence[Image]) -> list[Detections]:
        device = self._predictor.device
        pixels = [image.pixels.to(device, non_blocking=True) for image in images]
        with self._explain_errors(images), self._autocast(device), step("predict"):
            predictions = list(self._predictor.predict(pixels, self._decoding))
        if len(predictions) != len(images):
            counts = f"{len(predictions)} Detections for {pluralize(len(images), 'image')}"
            raise self._defect(images, f"Its {last_step(self._predictor)} returned {counts}.")
        return predictions

    def _autocast(self, device: torch.device) -> AbstractContextManager[object]:
        precision = self._protocol.precision
        if precision == "float32":
            return nullcontext()
        return torch.autocast(device.type, dtype=getattr(torch, precision))

    def _suppress_across_classes(self, detections: Detections) -> Detections:
        """NMS over all classes if the protocol asks for it: families suppress within a class."""
        if self._protocol.nms == "class":
            return detections
        survivors = detections.suppress("nms", iou=self._thresholds.iou, class_agnostic=True)
        return survivors.top(self._thresholds.max_boxes)

    @contextmanager
    def _explain_errors(self, images: Sequence[Image]) -> Iterator[None]:
        """Turns an error of a step into one that names the predictor, the step and the image."""
        try:
            yield
        except StepError as error:
            raise self._defect(images, f"Its {error}", error.__cause__) from error.__cause__

    def _defect(self, images: Sequence[Image], case: str, error: Any = None) -> ContractError:
        first = images[0].source
        subject = (
            f"{len(images)} images, the first of them '{first}'"
            if len(images) > 1
            else f"'{first}'"
        )
        failure = f"'{self._name}' failed on {subject}."
        return ContractError(failure, case, defect_owner(self._predictor, error=error))


def _is_size(size: object) -> bool:
    if not isinstance(size, tuple) or len(size) != 2:
        return False
    return all(isinstance(side, Integral) and int(side) > 0 for side in size)


def _shown_image(image: Image) -> str:
    """`'street.jpg' (640 x 480 pixels)`."""
    height, width = image.size
    return f"'{image.source}' ({width} x {height} pixels)"


def _own_copy(detections: Detections, image: Image) -> Detections:
    """A copy with the image's name and size, in tensors that may be changed and trained with.

    Tensors made in inference mode may not, and may be views that keep a whole batch's output alive.
    """
    owned = copy(detections)  # a new Detections would be checked a second time
    columns = {name: getattr(detections, name).clone() for name in ("boxes", "scores", "labels")}
    vars(owned).update(columns, source=image.source, size=image.size)
    return owned


def detections_flaw(predictor: Predictor, detections: object, size: tuple[int, int]) -> str | None:
    """The flaw of detections of an image of that `(height, width)`, or None.

    They have to be on the CPU, in the predictor's label space and inside the image.
    """
    label_space = predictor.label_space
    if not isinstance(detections, Detections):
        return f"Its {last_step(predictor)} returned {type_name(detections)}, not Detections."
    if not detections.boxes.is_cpu:
        return f"The boxes are on {detections.boxes.device}, not on the CPU."
    if detections.label_space is not label_space and detections.label_space != label_space:
        return (
            f"The labels are of the label space '{detections.label_space.title}', the model's is "
            f"'{label_space.title}'."
        )
    if not len(detections):
        return None
    boxes = detections.boxes.numpy()  # takes a third of torch's time for a few numbers
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    if (
        min(left, top) < -BOX_TOLERANCE
        or right > size[1] + BOX_TOLERANCE
        or bottom > size[0] + BOX_TOLERANCE
    ):
        return f"A box leaves the image: they span x {left:g}..{right:g}, y {top:g}..{bottom:g}."
    return None


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turns what the predictor's own code raises into a StepError with the name of the step.

    Errors that name their reason (ContractError, ImageError) pass, and so does running out of
    memory, and what a signal handler of the program raises. A plugin's `sys.exit` counts as an
    error, as it would end the process.
    """
    watch = WATCH.get()
    start = watch.clock() if watch else 0.0
    try:
        yield
    except (ContractError, ImageError, StepError):
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        if is_out_of_memory(error) or is_of_signal_handler(error):
            raise
        raise StepError(name, error) from error
    if watch:
        watch.seconds[name] = watch.seconds.get(name, 0.0) + watch.clock() - start


@dataclass
class _Loan:
    """How many threads hold a module in eval mode, and which submodules to put back."""

    users: int = 0
    training: list[nn.Module] = field(default_factory=list)


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Holds a module in eval mode. Several threads may be inside at once: the first switches, the
    last restores."""
    with _loans_lock:
        loan = _loans.setdefault(module, _Loan())
        loan.users += 1
        if loan.users == 1:
            loan.training = _training_submodules(module)
            if loan.training:
                module.eval()
    try:
        yield
    finally:
        with _loans_lock:
            loan.users -= 1
            if loan.users == 0:
                for submodule in loan.training:
                    submodule.training = True
                del _loans[module]


def _training_submodules(module: nn.Module) -> list[nn.Module]:
    # Module.modules() also builds each module's name, which takes a percent of a small network's
    # time.
    training: list[nn.Module] = []
    stack: list[nn.Module | None] = [module]
    while stack:
        if (submodule := stack.pop()) is not None:
            stack.extend(submodule._modules.values())
            if submodule.training:
                training.append(submodule)
    return training
