"""The parity gate: what an engine returns is held against torch, output by output and detection by
detection, on several images, input sizes and batch sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.engines.engine import Engine
from zoo.engines.outputs import leaves_of, tensors_of
from zoo.errors import ExportError, ImageError
from zoo.inference.batching import eval_mode
from zoo.text import pluralize

OUTPUT = 1e-4  # of the largest number in an output, or of 1
SCORE = 1e-3
PIXELS = 0.5
FLOOR = 0.01  # detections of a lower score are not compared
BATCHES = (1, 2, 3)
_FIX = "Nothing was written. Export with another exporter or format, or report it with the model."


@dataclass
class Parity:
    """The measured differences of an engine from torch.

    outputs:    the largest difference in each of the network's outputs.
    score, box: the largest of a score, and of a box's edge in pixels, among the detections.
    detections: that were compared; none where nothing scores FLOOR or more.
    sizes, batches: the input sizes `(height, width)` and numbers of images.
    """

    images: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    outputs: dict[str, float] = field(default_factory=dict)
    detections: int = 0
    score: float = 0.0
    box: float = 0.0

    @property
    def worst(self) -> float:
        """The largest difference in any output."""
        return max(self.outputs.values(), default=0.0)


def measure(detector: Detector, engine: Engine, images: Sequence[Tensor], *, asked: str) -> Parity:
    """The differences on these images.

    asked: what can't be done where they are too large, in a sentence.
    Raises: ExportError naming the output that differs, where, and by how much; or the detection.
    """
    parity = Parity(images=len(images))
    sizes: dict[tuple[int, int], None] = {}
    batches: dict[int, None] = {}
    for group, size in _groups(engine, images):
        batch = detector.preprocess(group, device=detector.device, dtype=detector.dtype)
        where = f"with {pluralize(len(group), 'image')} of {size[1]} x {size[0]} input pixels"
        with eval_mode(detector), torch.inference_mode():
            outputs = detector(batch)
        theirs = engine.forward(batch.to("cpu", torch.float32))
        _compare_outputs(outputs, theirs, parity, asked=asked, where=where)
        thresholds = replace(detector.defaults, score=min(detector.defaults.score, FLOOR))
        ours = detector.decode(outputs, batch, thresholds)
        decoded = engine.network.decode(theirs, batch, thresholds)
        for mine, other in zip(ours, decoded, strict=True):
            _compare_detections(mine, other, thresholds.score, parity, asked=asked, where=where)
        sizes[size], batches[len(group)] = None, None
    parity.sizes, parity.batches = list(sizes), sorted(batches)
    return parity


def _groups(
    engine: Engine, images: Sequence[Tensor]
) -> Iterator[tuple[list[Tensor], tuple[int, int]]]:
    """Batches of images of one input size: of every size one, and as many batch sizes as there are
    images for. Raises: ImageError where no image is of a size that the graph takes."""
    by_size: dict[tuple[int, int], list[Tensor]] = {}
    refused: ImageError | None = None
    for image in images:
        try:
            by_size.setdefault(engine.input_size(*image.shape[-2:]), []).append(image)
        except ImageError as error:
            refused = error
    if not by_size and refused is not None:
        raise refused
    fixed = engine.facts.input.batch
    counts = [fixed] if fixed else list(BATCHES)
    for size, group in by_size.items():
        position = 0
        for count in counts if len(by_size) == 1 else counts[-2:]:
            chosen = [group[(position + number) % len(group)] for number in range(count)]
            position += count
            yield chosen, size


def _compare_outputs(
    ours: object, theirs: object, parity: Parity, *, asked: str, where: str
) -> None:
    names = [leaf.name for leaf in leaves_of(ours) if leaf.name is not None]
    if [leaf.value for leaf in leaves_of(ours)] != [leaf.value for leaf in leaves_of(theirs)]:
        raise ExportError(asked, f"Its numbers besides tensors are others {where}.", _FIX)
    for name, mine, other in zip(names, tensors_of(ours), tensors_of(theirs), strict=True):
        mine, other = mine.float().cpu(), other.float().cpu()
        if mine.shape != other.shape:
            shapes = f"{tuple(other.shape)}, and torch gives {tuple(mine.shape)}"
            raise ExportError(asked, f"Its output '{name}' is {shapes}, {where}.", _FIX)
        if not mine.numel():
            continue
        difference = (mine - other).abs()
        difference[mine == other] = 0.0  # infinities of one sign
        difference = difference.nan_to_num(nan=torch.inf)
        worst = float(difference.max())
        parity.outputs[name] = max(parity.outputs.get(name, 0.0), worst)
        finite = mine[mine.isfinite()]
        allowed = OUTPUT * max(1.0, float(finite.abs().max()) if finite.numel() else 0.0)
        if worst > allowed:
            place = _place(difference)
            case = (
                f"Its output '{name}' differs from torch by {worst:.3g} at {place}, {where}; "
                f"{allowed:.3g} is allowed."
            )
            raise ExportError(asked, case, _FIX)


def _place(difference: Tensor) -> list[int]:
    """The indices of the largest."""
    return [int(index) for index in torch.unravel_index(difference.argmax(), difference.shape)]


def _compare_detections(
    ours: Detections, theirs: Detections, floor: float, parity: Parity, *, asked: str, where: str
) -> None:
    """Each detection of one has its like in the other; those at the floor may be on either side."""
    for first, second in ((ours, theirs), (theirs, ours)):
        for row in range(len(first)):
            score, box = _nearest(first, row, second)
            if score > SCORE or box > PIXELS:
                if float(first.scores[row]) <= floor + SCORE:
                    continue
                name = first.class_names[row]
                case = (
                    f"Its detection of '{name}', score {float(first.scores[row]):.3f}, is not the "
                    f"same as torch's: no other is nearer than {box:.3g} pixels and {score:.3g} of "
                    f"a score, {where}."
                )
                raise ExportError(asked, case, _FIX)
            parity.score, parity.box = max(parity.score, score), max(parity.box, box)
    parity.detections += len(ours)


def _nearest(first: Detections, row: int, second: Detections) -> tuple[float, float]:
    """The differences of score and box to the detection of the same class that is nearest."""
    same = second.labels == first.labels[row]
    if not bool(same.any()):
        return torch.inf, torch.inf
    boxes = (second.boxes[same] - first.boxes[row]).abs().amax(dim=1)
    scores = (second.scores[same] - first.scores[row]).abs()
    best = int((boxes / PIXELS + scores / SCORE).argmin())
    return float(scores[best]), float(boxes[best])
