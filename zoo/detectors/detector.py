"""The interface of every model of the zoo: a `preprocess`, three steps, and `detect` around them.

    images --preprocess--> Batch --forward--> outputs --decode--> list[Detections]
                                               └---loss(targets)--> dict[str, Tensor]

Training, export, serving and timing need nothing else. A family's own code for checkpoints and
classes is called through `translate_checkpoint`, `class_layers` and `post_load`, whose errors name
the family.
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
from zoo.registry.plugin_messages import describe_exception
from zoo.text import type_name
from zoo.video.detect import Track, VideoSource, VideoStream, detect_video
from zoo.weights import WeightsFile

if TYPE_CHECKING:
    from zoo.detectors.head_transfer import HeadTransfer

_held: WeakKeyDictionary[Detector, Batch] = WeakKeyDictionary()


class BasePredictor(ABC):
    """A `zoo.contract.Predictor` that detects in images of any form.

    label_space, defaults: the classes of its detections, and the family's own thresholds.
    name:    as which it was loaded, with the tag of the card's weights; None if built by hand.
    weights: the verified file of its weights; None for random ones.
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
        """The device that computes, which images shall be on."""

    @abstractmethod
    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the network's input for an image of that size, all in pixels.

        Raises: ImageError if the network can't take such an image.
        """

    @abstractmethod
    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Detects in uint8 RGB images `(3, h, w)`, whose input sizes are equal; one result per
        image."""

    def auto_batch(self, height: int, width: int) -> int | None:  # noqa: ARG002 - engines use them
        """The batch size that "auto" means for images of that input size; None lets the zoo choose
        one for the device."""
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
                    memory of the device. If memory runs out, the batch is repeated in halves, and
                    later batches are smaller.
        exif:       "apply" turns images upright by their EXIF orientation, and boxes are in the
                    upright image.
        on_error:   "raise" stops at an image that can't be read; "skip" warns (ImageWarning) and
                    leaves it out of the list, whose items name their image in `source`. A single
                    image's error is always raised.
        progress:   a bar on standard error; None shows one on a terminal, for work over a second.
        threads:    how many read ahead of the network; None is one per processor, at most 8.
        limits:     what reading an image may cost in pixels, memory and time; None takes them from
                    the environment variables.

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
        """`detect` for more images than fit into memory: yields results one by one, in order, and
        reads only a bounded window ahead.

        For a live camera pass `batch_size=1, threads=0`, so that no frame is read before the
        current one is done. Closing the iterator stops the threads.
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
    head_transfer: report of the new head, if it was loaded for other classes than the weights are.
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

        targets: the true boxes of a training batch, for networks that sample regions by them, for
            example; ignored in eval mode.
        """

    @abstractmethod
    def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """Outputs to detections in pixels of the original images, one per image, on the CPU.

        It reads no parameter or buffer: behind an engine it is called on a network without content.
        """

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Named scalar losses of `outputs`, which `model(batch, targets)` returned in train mode;
        training minimises their sum."""

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
            # Held until the next batch exists: freed pages go back to the system, and getting new
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
        """A published checkpoint's tensors under this module's names; a family overrides it if the
        published names differ."""
        return dict(state)

    def class_layers(self) -> Sequence[ClassLayer] | None:
        """The layers that have rows per class, and their layout, by which `load(labels=…)` carries
        rows over.

        None if a family does not describe them: for other classes, every tensor whose shape depends
        on the number of classes then starts fresh. An empty list if no tensor depends on the
        classes, because their names are a prompt, as in an open vocabulary: any `labels` will do,
        without training.
        """
        return None

    def post_load(self, settings: Mapping[str, Any]) -> None:
        """Applies the `post_load` settings of a card, which the checkpoint does not carry.

        A family that has settings checks their names and values. Raises: ContractError for a
        setting the family does not know, which here is every one.
        """
        if settings:
            names = ", ".join(f"{name}: {value}" for name, value in settings.items())
            raise ContractError(
                f"A card asks for {names} after loading.",
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
def family_call(
    detector: object, step: str, *, failure: str, shown: str = "its card"
) -> Iterator[None]:
    """Turns whatever a call of the family's code raises into a ContractError, even SystemExit.

    Errors of the zoo, interrupts and a lack of memory pass, as they are not the family's fault.
    """
    try:
        yield
    except (ZooError, KeyboardInterrupt, MemoryError, torch.OutOfMemoryError):
        raise
    except BaseException as error:
        case = f"Its {step} {describe_exception(error).rstrip('.')}."
        owner = defect_owner(detector, shown=shown, error=error)
        raise ContractError(failure, case, owner) from error


def translate_checkpoint(detector: Detector, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint's tensors under the detector's own names, by its `from_checkpoint`. Raises:
    ContractError if that fails."""
    count = f"{len(published):,} tensors"
    failure = f"The {count} of a checkpoint can't be translated for {_name(detector)}."
    with family_call(detector, "from_checkpoint", failure=failure, shown="the checkpoint"):
        state: object = detector.from_checkpoint(published)
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        case = (
            f"Its from_checkpoint returned {type_name(state)}, not a mapping of names to tensors."
        )
        raise ContractError(failure, case, defect_owner(detector, shown="the checkpoint"))
    return dict(state)


def class_layers(detector: Detector) -> Sequence[ClassLayer] | None:
    """The layers that have rows per class, by the detector's `class_layers`. Raises: ContractError
    if that fails."""
    failure = f"The class layers of {_name(detector)} can't be found."
    with family_call(detector, "class_layers", failure=failure):
        returned: object = detector.class_layers()
        layers = list(returned) if isinstance(returned, Sequence) else returned
    if layers is None or (
        isinstance(layers, list) and all(isinstance(layer, ClassLayer) for layer in layers)
    ):
        return layers
    case = f"Its class_layers returned {type_name(returned)}, not a list of ClassLayer."
    raise ContractError(failure, case, defect_owner(detector, shown="its card"))


def post_load(detector: Detector, settings: Mapping[str, Any]) -> None:
    """Applies a card's `post_load` settings. Raises: ContractError if the family's `post_load`
    fails."""
    with family_call(
        detector, "post_load", failure=f"{_name(detector)} can't be set up after loading."
    ):
        detector.post_load(settings)


def _name(detector: Detector) -> str:
    return getattr(detector, "name", None) or type(detector).__name__
