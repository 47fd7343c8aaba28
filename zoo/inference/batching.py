"""Forms batches of images of one input size, of fewer once memory ran out, and runs a predictor on
them: in eval mode, errors named by their step, outputs validated."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

import torch
from torch import nn

from zoo.contract.predictor import StepError, is_out_of_memory
from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.errors import ContractError, ImageError
from zoo.images import Image
from zoo.inference.defect_owner import defect_owner, last_step
from zoo.inference.watch import WATCH
from zoo.text import pluralize, type_name

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

log = logging.getLogger("zoo")

BatchSize: TypeAlias = int | Literal["auto"]
Size: TypeAlias = tuple[int, int]

# Input pixels of an "auto" batch, about. On two cores, YOLOX-Nano (416x416) is a fifth faster in
# batches of 4 to 16 than one by one, and loses that again at 32, when activations leave the caches;
# 2**20 is 6 of these, 2 of 640x640, 1 of 800x1333. A GPU is faster the more it gets: an H200 still
# gains a fifth from 16 to 32 images of 640x640. Others are taken to be smaller, and not measured.
AUTO_PIXELS = {"cpu": 2**20, "cuda": 2**24, "mps": 2**22}
AUTO_MOST = 32
# Bytes of a GPU's memory that an input pixel is taken to need, so that a batch fits into what is
# free; of the models measured, Faster R-CNN needs most, 353.
PIXEL_BYTES = 1024

# Images of rarer sizes wait for company while at most this many images and bytes wait.
WINDOW = 64
WINDOW_BYTES = 256 * 2**20

# Scaling boxes back rounds in float32, which is so coarse at 20,000 pixels.
PIXELS = 0.01

_loans: WeakKeyDictionary[nn.Module, _Loan] = WeakKeyDictionary()
_loans_lock = threading.Lock()


class BatchLimit:
    """How many images of one input size make a full batch; fewer, of every size, once memory ran
    out.

    batch_size: the caller's number; "auto" is what the predictor wants, or else goes by input
        pixels, for the kind of device and the memory that is free on it.
    wanted: by the predictor for an input `(height, width)`; None leaves it to its device.
    """

    def __init__(
        self,
        batch_size: BatchSize,
        device: torch.device,
        *,
        wanted: Callable[[int, int], int | None] | None = None,
    ) -> None:
        self._given = batch_size
        self._device = device
        self._wanted = wanted if batch_size == "auto" else None
        self._pixels = _auto_pixels(device) if batch_size == "auto" else None

    def __call__(self, size: Size) -> int:
        """The number for the input size `(height, width)`."""
        most = AUTO_MOST if self._given == "auto" else self._given
        wanted = self._wanted(*size) if self._wanted else None
        if wanted is None and self._pixels is not None:
            wanted = self._pixels // (size[0] * size[1])
        return most if wanted is None else max(1, min(most, wanted))

    def lower(self, size: Size, count: int) -> None:
        """Memory ran out with `count` images of that size: from here on half as many, and as many
        pixels of other sizes."""
        if self(size) < count:  # a part of a batch that was made before this was known
            return
        half = max(1, count // 2)
        self._pixels = half * size[0] * size[1]
        self._wanted = None
        write = log.info if self._given == "auto" else log.warning
        write(
            "The memory of %s does not hold %d images of %d x %d input pixels at once; batches "
            "have %d from here on. To begin there: batch_size=%d (--batch-size %d).",
            self._device, count, size[1], size[0], half, half, half,
        )  # fmt: skip


def _auto_pixels(device: torch.device) -> int:
    pixels = AUTO_PIXELS.get(device.type, AUTO_PIXELS["cpu"])
    return min(pixels, _free_bytes(device) // PIXEL_BYTES) if device.type == "cuda" else pixels


def _free_bytes(device: torch.device) -> int:
    """Memory that nobody holds, and what torch holds and nothing uses."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@dataclass(eq=False)
class Slot:
    """An image's place in the order: the image until it was looked at, then what came of it. size:
    in the network's input."""

    image: Image | None
    outcome: Detections | Exception | None = None
    size: Size = (0, 0)


class Window:
    """Images in flight: batches leave it when they are full, outcomes in the order of the
    images.

    limit:      how many images of an input size make a full batch.
    most_bytes: of images that wait, whatever makes a full batch.
    """

    def __init__(self, limit: BatchLimit, *, most_bytes: int = WINDOW_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self.is_cut = False
        self._order: deque[Slot] = deque()
        self._groups: dict[Size, list[Slot]] = {}  # in the order of each group's first image

    def add(self, image: Image, size: Size) -> None:
        """An image that goes into the network in that input size."""
        slot = Slot(image, size=size)
        self._order.append(slot)
        self._groups.setdefault(size, []).append(slot)

    def fail(self, error: Exception) -> None:
        """An error, in its image's place."""
        self._order.append(Slot(None, error))

    def cut(self, last: Slot | None = None) -> None:
        """Nothing after that slot, or what there is, is wanted any more."""
        self.is_cut = True
        while last and self._order[-1] is not last:
            self._order.pop()
        kept = {id(slot) for slot in self._order}
        left = {
            size: [slot for slot in group if id(slot) in kept]
            for size, group in self._groups.items()
        }
        self._groups = {size: group for size, group in left.items() if group}

    def ran_out(self, slots: list[Slot]) -> None:
        """Memory ran out with these in one batch."""
        self._limit.lower(slots[0].size, len(slots))

    def most(self, slots: list[Slot]) -> int:
        """How many of their input size may be in one batch."""
        return self._limit(slots[0].size)

    def due(self, *, rest: bool = False) -> Iterator[list[Slot]]:
        """The batches to run now: full ones, then the oldest as long as the window is crowded; or
        all the rest."""
        for size in [
            size for size, group in self._groups.items() if len(group) >= self._limit(size)
        ]:
            yield self._groups.pop(size)
        while self._groups and (rest or self._crowded()):
            yield self._groups.pop(next(iter(self._groups)))

    def outcomes(self) -> Iterator[Detections | Exception]:
        """The finished outcomes that have no unfinished one before them."""
        while self._order and (outcome := self._order[0].outcome) is not None:
            self._order.popleft()
            yield outcome

    def _crowded(self) -> bool:
        limit = self._limit(next(iter(self._groups)))
        if len(self._order) > max(WINDOW, 2 * limit):
            return True
        waiting = [
            slot.image.pixels.nbytes
            for group in self._groups.values()
            for slot in group
            if slot.image
        ]
        held = sum(waiting)
        return held > self._most_bytes or (len(waiting) > limit and held > WINDOW_BYTES)


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
            with self._named([image]), step("input_size"):
                return self._predictor.input_size(height, width)
        except ImageError as error:  # the family knows what is wrong, and not with which image
            asked = f"'{self._name}' was to look at '{image.source}', {width} x {height} pixels."
            raise ImageError(asked, error.case, error.fix, file=image.source) from error

    def run(self, images: Sequence[Image]) -> list[Detections]:
        """Detections of each image; they all have one input size.

        Raises:
            ContractError: the predictor's code failed, or returned something other than detections.
            torch.OutOfMemoryError, MemoryError, RuntimeError: memory ran out (`is_out_of_memory`).
        """
        predictions = self._predicted(images)
        for detections, image in zip(predictions, images, strict=True):
            if wrong := violation(self._predictor, detections, image.size):
                height, width = image.size
                asked = (
                    f"'{self._name}' decoded what it saw in '{image.source}', {width} x "
                    f"{height} pixels."
                )
                raise ContractError(asked, wrong, defect_owner(self._predictor))
        return [
            _owned(self._suppressed_across_classes(detections), image)
            for detections, image in zip(predictions, images, strict=True)
        ]

    def release(self) -> None:
        """Frees what the predictor holds between two batches."""
        release = getattr(self._predictor, "release", None)
        if release is not None:
            release()

    def too_large(self, image: Image, error: Exception) -> ImageError:
        """The error for an image for which memory ran out."""
        height, width = image.size
        says = str(error).partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
        return ImageError(
            f"'{self._name}' was to look at '{image.source}', {width} x {height} pixels.",
            f"There is not enough memory: {says:.200}.",
            "Free some, make the image smaller, or choose another device or a smaller model.",
            file=image.source,
        )

    def _predicted(self, images: Sequence[Image]) -> list[Detections]:
        device = self._predictor.device
        pixels = [image.pixels.to(device, non_blocking=True) for image in images]
        with self._named(images), self._arithmetic(device), step("predict"):
            predictions = list(self._predictor.predict(pixels, self._decoding))
        if len(predictions) != len(images):
            given = f"{len(predictions)} Detections for {pluralize(len(images), 'image')}"
            raise self._broken(images, f"Its {last_step(self._predictor)} returned {given}.")
        return predictions

    def _arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        kind = self._protocol.precision
        if kind == "float32":
            return nullcontext()
        return torch.autocast(device.type, dtype=getattr(torch, kind))

    def _suppressed_across_classes(self, detections: Detections) -> Detections:
        """Without boxes that overlap a better one of any class, where the protocol wants that;
        families look within classes."""
        if self._protocol.nms == "class":
            return detections
        kept = detections.suppress("nms", iou=self._thresholds.iou, class_agnostic=True)
        return kept.top(self._thresholds.max_boxes)

    @contextmanager
    def _named(self, images: Sequence[Image]) -> Iterator[None]:
        """Turns an error of a step into one that names the predictor, the step and the image."""
        try:
            yield
        except StepError as error:
            raise self._broken(images, f"Its {error}", error.__cause__) from error.__cause__

    def _broken(self, images: Sequence[Image], case: str, error: Any = None) -> ContractError:
        first = images[0].source
        count = (
            f"{len(images)} images, the first of them '{first}'"
            if len(images) > 1
            else f"'{first}'"
        )
        asked = f"'{self._name}' was to say what it sees in {count}."
        return ContractError(asked, case, defect_owner(self._predictor, error=error))


def _owned(detections: Detections, image: Image) -> Detections:
    """The same, with its image's name and size, in tensors that may be changed and trained with.

    What inference mode made may not, and may be a view that keeps a whole batch's output alive.
    """
    owned = copy(detections)  # not a new Detections: what was checked once needs no second check
    columns = {name: getattr(detections, name).clone() for name in ("boxes", "scores", "labels")}
    vars(owned).update(columns, source=image.source, size=image.size)
    return owned


def violation(predictor: Predictor, detections: object, size: tuple[int, int]) -> str | None:
    """The rule that detections break, or None.

    Detections are on the CPU, in the label space, inside the image `(height, width)`.
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
    boxes = detections.boxes.numpy()  # a third of the time that torch takes for so few numbers
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    if min(left, top) < -PIXELS or right > size[1] + PIXELS or bottom > size[0] + PIXELS:
        return f"A box leaves the image: they span x {left:g}..{right:g}, y {top:g}..{bottom:g}."
    return None


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turns what its own code raises into a StepError with the name of the step.

    Errors that name their reason (ContractError, ImageError) pass, and so does running out of
    memory. A plugin's `sys.exit` is an error too: it would be taken for the end of all work.
    """
    watch = WATCH.get()
    begun = watch.clock() if watch else 0.0
    try:
        yield
    except (ContractError, ImageError, StepError):
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        if is_out_of_memory(error):
            raise
        raise StepError(name, error) from error
    if watch:
        watch.seconds[name] = watch.seconds.get(name, 0.0) + watch.clock() - begun


@dataclass
class _Loan:
    users: int = 0
    trained: list[nn.Module] = field(default_factory=list)


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """The module in eval mode. Several threads may be inside at once: the first one switches, the
    last one restores."""
    with _loans_lock:
        loan = _loans.setdefault(module, _Loan())
        loan.users += 1
        if loan.users == 1:
            loan.trained = _in_training(module)
            if loan.trained:
                module.eval()
    try:
        yield
    finally:
        with _loans_lock:
            loan.users -= 1
            if loan.users == 0:
                for submodule in loan.trained:
                    submodule.training = True
                del _loans[module]


def _in_training(module: nn.Module) -> list[nn.Module]:
    # Module.modules() builds a name for everything it passes, which would take a percent of a small
    # network's time.
    training: list[nn.Module] = []
    stack: list[nn.Module | None] = [module]
    while stack:
        if (submodule := stack.pop()) is not None:
            stack.extend(submodule._modules.values())
            if submodule.training:
                training.append(submodule)
    return training
