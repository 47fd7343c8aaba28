"""The interface of every model of the zoo: a `preprocess`, three steps, and `detect` around them.

    images --preprocess--> Batch --forward--> outputs --decode--> list[Detections]
                                               └---loss(targets)--> dict[str, Tensor]

Training, export, serving and timing need nothing else. What a family writes for its checkpoints and
classes is called by `translated`, `class_layers` and `post_load`: errors in it name the family.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from zoo.contract.batch import Batch, Preprocess
from zoo.contract.class_layer import ClassLayer
from zoo.contract.protocol import Protocol, Thresholds
from zoo.contract.target import Target
from zoo.detections import Detections
from zoo.errors import ContractError, ZooError
from zoo.images import Limits, Pixels, Source, Sources
from zoo.inference.defect_owner import defect_owner
from zoo.inference.detect import DetectOptions, detect, detect_stream
from zoo.inference.runner import eval_mode, step
from zoo.labels import LabelSpace
from zoo.registry import Choice
from zoo.registry.conduct import describe_exception
from zoo.text import type_name
from zoo.video.detect import Track, VideoSource, VideoStream, detect_video
from zoo.weights import WeightsFile

if TYPE_CHECKING:
    from zoo.detectors.head_transfer import HeadTransfer

_held: WeakKeyDictionary[Detector, Batch] = WeakKeyDictionary()


class BasePredictor(ABC):
    """A `zoo.contract.Predictor` that detects in images of any form.

    label_space, defaults: of its detections, and the family's own thresholds.
    name:    what it was loaded as, with the tag of the card's weights; None for one built by hand.
    weights: the verified file that its weights are from; None for random ones.
    engine:  what computes its network, as a protocol names it; None for torch.
    """

    label_space: LabelSpace
    defaults: Thresholds
    name: str | None = None
    weights: WeightsFile | None = None
    engine: str | None = None

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where images are wanted, and where the arithmetic is done."""

    @abstractmethod
    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the input for an image of that size.

        Raises: ImageError if such an image can't be taken.
        """

    @abstractmethod
    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Detections of each uint8 RGB image `(3, h, w)`; their input sizes are equal."""

    def auto_batch(self, height: int, width: int) -> int | None:  # noqa: ARG002 - engines use them
        """How many images of that input size "auto" is; None is what suits the device."""
        return None

    @overload
    def detect(  # type: ignore[overload-overlap]  # a text is also an iterable of texts, but means one path
        self,
        source: str | PathLike[str],
        **options: Unpack[DetectOptions],
    ) -> Detections | list[Detections]: ...
    @overload
    def detect(  # type: ignore[overload-overlap]
        self,
        source: Pixels,
        **options: Unpack[DetectOptions],
    ) -> Detections: ...
    @overload
    def detect(
        self,
        source: Iterable[Source],
        **options: Unpack[DetectOptions],
    ) -> list[Detections]: ...
    def detect(  # noqa: PLR0913
        self,
        source: Sources,
        *,
        score: float | None = 0.3,
        iou: float | None = None,
        max_boxes: int | None = None,
        batch_size: int | Literal["auto"] = "auto",
        exif: Literal["apply", "ignore"] = "apply",
        on_error: Literal["raise", "skip"] = "raise",
        progress: bool | None = None,
        threads: int | None = None,
        limits: Limits | None = None,
    ) -> Detections | list[Detections]:
        """Detects objects in one image, or, for a folder, a glob, a list or another iterable, in
        each of many.

        source:     path, http(s) URL, bytes, PIL image, uint8 RGB array `(h, w, 3)`, uint8 RGB
                    tensor `(3, h, w)`, or many.
        score, iou, max_boxes: see `Protocol`; None keeps the family's own.
        batch_size: images that go through the network at once; "auto" fits their size and the free
                    memory of the device. Where memory runs out, batches are halved from there on,
                    and nothing is lost.
        exif:       "apply" turns images upright as their EXIF orientation says, and boxes are in
                    the upright image.
        on_error:   "raise" stops at an image that can't be read; "skip" warns (ImageWarning) and
                    leaves it out of the list, whose items say in `source` what they belong to. A
                    single image's error is always raised.
        progress:   a bar on standard error; None shows one on a terminal, for work over a second.
        threads:    that read ahead of the network; None is one a processor, at most 8.
        limits:     what reading an image may cost in pixels, memory and time; None is what the
                    environment says.

        Raises:
            ImageError: an image can't be read; `file` names it.
            ContractError: the family's code returned something other than detections.
        """
        protocol = Protocol(score=score, iou=iou, max_boxes=max_boxes)
        return detect(
            self,
            source,
            protocol=protocol,
            batch_size=batch_size,
            exif=exif,
            on_error=on_error,
            progress=progress,
            threads=threads,
            limits=limits,
        )

    def detect_stream(  # noqa: PLR0913
        self,
        sources: Sources,
        *,
        score: float | None = 0.3,
        iou: float | None = None,
        max_boxes: int | None = None,
        batch_size: int | Literal["auto"] = "auto",
        exif: Literal["apply", "ignore"] = "apply",
        on_error: Literal["raise", "skip"] = "raise",
        threads: int | None = None,
        limits: Limits | None = None,
    ) -> Iterator[Detections]:
        """`detect` for what does not fit into memory: one result after the other, in order, while a
        bounded window is read ahead.

        For a live camera pass `batch_size=1, threads=0`: nothing is pulled before the frame at hand
        is done. Closing the iterator stops the threads.
        """
        protocol = Protocol(score=score, iou=iou, max_boxes=max_boxes)
        return detect_stream(
            self,
            sources,
            protocol=protocol,
            batch_size=batch_size,
            exif=exif,
            on_error=on_error,
            threads=threads,
            limits=limits,
        )

    def detect_video(  # noqa: PLR0913
        self,
        source: VideoSource,
        *,
        score: float | None = 0.3,
        iou: float | None = None,
        max_boxes: int | None = None,
        batch_size: int | Literal["auto"] = "auto",
        every: int = 1,
        start: float = 0.0,
        end: float | None = None,
        rate: float | None = None,
        live: bool | None = None,
        options: Mapping[str, str] | None = None,
        track: Track = False,
    ) -> VideoStream:
        """Detects in frames of a clip, camera or stream; see `zoo.detect_video` for the options."""
        return detect_video(
            self,
            source,
            score=score,
            iou=iou,
            max_boxes=max_boxes,
            batch_size=batch_size,
            every=every,
            start=start,
            end=end,
            rate=rate,
            live=live,
            options=options,
            track=track,
        )


class Detector(nn.Module, BasePredictor):
    """A network that finds boxes. A plugin subclasses it and writes `forward`, `decode`, `loss`.

    preprocess: images to the network's input, an object that works without the network.
    choice: the card it was built from, and the tag of its weights; None for one built by hand.
    head_transfer: what is new in its head, if the weights are for other classes than it was loaded
        for.
    """

    preprocess: Preprocess
    choice: Choice | None = None
    head_transfer: HeadTransfer | None = None

    def __init__(
        self, *, label_space: LabelSpace, defaults: Thresholds, preprocess: Preprocess
    ) -> None:
        super().__init__()
        self.label_space = label_space
        self.defaults = defaults
        self.preprocess = preprocess

    @abstractmethod
    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Any:
        """The network's outputs: a pytree of tensors of the family's own type.

        A family declares it with `zoo.contract.pytree_dataclass`, and puts in it all that `decode`
        and `loss` need. Every trainable parameter is used in here, so that DistributedDataParallel,
        FSDP and `torch.compile` wrap the whole network.

        targets: the truth of a batch that is trained on, for networks that use it, as to sample
            regions or to denoise; in eval mode it is not looked at.
        """

    @abstractmethod
    def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """Outputs to detections in pixels of the original images, one per image, on the CPU.

        It reads no parameter or buffer: behind an engine it is called on a network without content.
        """

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Named scalar losses of `outputs`, made in train mode by `model(batch, targets)`, against
        the same targets; training minimises their sum."""

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Runs preprocess, forward and decode, in eval mode and without gradients.

        Autocast that is on outside is on for `forward` alone.
        Raises: StepError naming the step whose code raised an error.
        """
        if not images:
            return []
        with eval_mode(self), torch.inference_mode():
            with step("preprocess"), _no_autocast(self.device):
                batch = self.preprocess(images, device=self.device, dtype=self.dtype)
            # Held until the next one is there: freed pages go back to the system, and getting new
            # ones costs a small network on a CPU a few percent of its time.
            _held[self] = batch
            with step("forward"):
                outputs = self(batch)
            with step("decode"), _no_autocast(self.device):
                return list(self.decode(outputs, batch, thresholds))

    def release(self) -> None:
        """Frees the batch that `predict` holds until the next one."""
        _held.pop(self, None)

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the network's input for an image of that size, as `preprocess`
        says.

        Raises: ImageError if the network can't take such an image; `detect` says which one it was,
            or skips it.
        """
        return self.preprocess.input_size(height, width)

    def from_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A published checkpoint's tensors under this module's names; overridden where upstream
        named them otherwise."""
        return dict(state)

    def class_layers(self) -> Sequence[ClassLayer] | None:
        """The layers with rows for classes, and how those lie; `load(labels=…)` carries rows over
        by it.

        None does not say it. Tensors whose shape follows the number of classes then start fresh for
        other classes, all of them. An empty list says that no tensor depends on the classes,
        because their names are a prompt, as in an open vocabulary: any `labels` will do, and
        nothing has to be trained for them.
        """
        return None

    def post_load(self, settings: Mapping[str, Any]) -> None:
        """Applies the `post_load` settings of a card, which the checkpoint does not carry.

        A family that has settings checks their names and values. Raises: ContractError for a
        setting the family does not know, which here is every one.
        """
        if settings:
            given = ", ".join(f"{name}: {value}" for name, value in settings.items())
            raise ContractError(
                f"A card asks for {given} after loading.",
                f"{type(self).__name__} does not know that setting.",
                "Take it out of the card's post_load, or handle it in the detector's post_load.",
            )

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The float type of the network's weights."""
        return next(self.parameters()).dtype


def _no_autocast(device: torch.device) -> AbstractContextManager[object]:
    if not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


@contextmanager
def contained(
    detector: object, step: str, *, asked: str, shown: str = "its card"
) -> Iterator[None]:
    """Makes a ContractError of what the family's code raises, also where it wants to end the
    process.

    Errors of the zoo, interrupts and a lack of memory are nobody's defect and stay what they are.
    """
    try:
        yield
    except (ZooError, KeyboardInterrupt, MemoryError, torch.OutOfMemoryError):
        raise
    except BaseException as error:
        case = f"Its {step} {describe_exception(error).rstrip('.')}."
        owner = defect_owner(detector, shown=shown, error=error)
        raise ContractError(asked, case, owner) from error


def translated(detector: Detector, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint's tensors under the detector's own names. Raises: ContractError where the family
    fails at that."""
    asked = (
        f"The {len(published):,} tensors of a checkpoint can't be translated for {_name(detector)}."
    )
    with contained(detector, "from_checkpoint", asked=asked, shown="the checkpoint"):
        state: object = detector.from_checkpoint(published)
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        case = (
            f"Its from_checkpoint returned {type_name(state)}, not a mapping of names to tensors."
        )
        raise ContractError(asked, case, defect_owner(detector, shown="the checkpoint"))
    return dict(state)


def class_layers(detector: Detector) -> Sequence[ClassLayer] | None:
    """The layers that have rows for classes, as the family says. Raises: ContractError where it
    fails at that."""
    asked = f"The class layers of {_name(detector)} can't be found."
    with contained(detector, "class_layers", asked=asked):
        given: object = detector.class_layers()
        layers = given if given is None or not isinstance(given, Sequence) else list(given)
    if layers is None or (
        isinstance(layers, list) and all(isinstance(layer, ClassLayer) for layer in layers)
    ):
        return layers
    case = f"Its class_layers returned {type_name(given)}, not a list of ClassLayer."
    raise ContractError(asked, case, defect_owner(detector, shown="its card"))


def post_load(detector: Detector, settings: Mapping[str, Any]) -> None:
    """Sets what the card says the checkpoint does not carry. Raises: ContractError where the family
    fails at that."""
    with contained(
        detector, "post_load", asked=f"{_name(detector)} can't be set up after loading."
    ):
        detector.post_load(settings)


def _name(detector: Detector) -> str:
    return getattr(detector, "name", None) or type(detector).__name__
