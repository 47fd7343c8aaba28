"""The parity gate: compares an engine with torch, output by output and detection by detection, on
several images, input sizes and batch sizes."""

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
from zoo.inference.runner import eval_mode
from zoo.text import pluralize

BATCHES = (1, 2, 3)
_FIX = "Nothing was written. Export with another exporter or format, or report it with the model."


@dataclass(frozen=True)
class Tolerance:
    """The largest differences from torch that are allowed.

    output:        relative to the largest number in an output, or to 1 if that is larger.
    outliers:      the share of an output's numbers that may differ by more.
    score, pixels: of a detection's score, and of a box's edge.
    floor:         detections with a lower score are not compared.
    unmatched:     the share of detections that may be missing or additional, as rounding can
                   change what is suppressed.
    """

    output: float
    score: float
    pixels: float
    floor: float
    unmatched: float = 0.0
    outliers: float = 0.0


EXACT = Tolerance(output=1e-4, score=1e-3, pixels=0.5, floor=0.01)
# Rounded weights can move the box of a background cell far, so a share of outliers is allowed.
HALF = Tolerance(output=1e-2, score=1e-2, pixels=2.0, floor=0.05, unmatched=0.01, outliers=0.002)


@dataclass
class Parity:
    """The measured differences of an engine from torch.

    outputs:    the largest difference in each of the network's outputs.
    score, box: the largest of a score, and of a box's edge in pixels, among the detections.
    detections: number of compared detections; 0 if none scores as much as the tolerance's floor.
    unmatched:  number of detections that only one of the two has; must be 0 in float32.
    sizes, batches: the input sizes `(height, width)` and numbers of images.
    """

    images: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    outputs: dict[str, float] = field(default_factory=dict)
    detections: int = 0
    score: float = 0.0
    box: float = 0.0
    unmatched: int = 0

    @property
    def worst(self) -> float:
        """The largest difference in any output."""
        return max(self.outputs.values(), default=0.0)


def measure(
    detector: Detector,
    engine: Engine,
    images: Sequence[Tensor],
    *,
    failure: str,
    tolerance: Tolerance = EXACT,
    fix: str = _FIX,
) -> Parity:
    """The differences on these images.

    failure: the first sentence of the error, what can't be done. fix: its last, what to type.
    Raises: ExportError naming the output that differs, where, and by how much, and how far the
        detections are apart; or the detection.
    """
    comparison = _Comparison(Parity(images=len(images)), tolerance, failure, fix)
    parity = comparison.parity
    sizes: dict[tuple[int, int], None] = {}
    batches: dict[int, None] = {}
    for group, size in _groups(engine, images):
        batch = detector.preprocess(group, device=detector.device, dtype=detector.dtype)
        where = f"with {pluralize(len(group), 'image')} of {size[1]} x {size[0]} input pixels"
        with eval_mode(detector), torch.inference_mode():
            outputs = detector(batch)
        theirs = engine.forward(batch.to("cpu", torch.float32))
        comparison.of_outputs(outputs, theirs, where=where)
        score = min(detector.defaults.score, tolerance.floor)
        thresholds = replace(detector.defaults, score=score)
        ours = detector.decode(outputs, batch, thresholds)
        try:
            decoded = engine.network.decode(theirs, batch, thresholds)
        except Exception:
            comparison.check()  # what differs too much may not be decodable
            raise
        for mine, other in zip(ours, decoded, strict=True):
            comparison.of_detections(mine, other, floor=max(score, tolerance.floor), where=where)
        sizes[size], batches[len(group)] = None, None
    comparison.check()
    parity.sizes, parity.batches = list(sizes), sorted(batches)
    return parity


def _groups(
    engine: Engine, images: Sequence[Tensor]
) -> Iterator[tuple[list[Tensor], tuple[int, int]]]:
    """Batches of images of one input size, and that size: of every size at least one, in several
    batch sizes. Raises: ImageError if the graph takes none of the images."""
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


@dataclass
class _Comparison:
    """The differences so far.

    first: a sentence about the first detection without a match. refused: one about the first output
    that differs too much.
    """

    parity: Parity
    tolerance: Tolerance
    failure: str
    fix: str
    first: str = ""
    refused: str = ""

    def of_outputs(self, ours: object, theirs: object, *, where: str) -> None:
        """Compares the outputs for a batch. Raises: ExportError for outputs that can't be decoded
        as torch's are."""
        names = [leaf.name for leaf in leaves_of(ours) if leaf.name is not None]
        if [leaf.value for leaf in leaves_of(ours)] != [leaf.value for leaf in leaves_of(theirs)]:
            raise ExportError(
                self.failure, f"Its outputs that are not tensors differ {where}.", self.fix
            )
        for name, mine, other in zip(names, tensors_of(ours), tensors_of(theirs), strict=True):
            self._of_tensors(name, mine.float().cpu(), other.float().cpu(), where)

    def _of_tensors(self, name: str, mine: Tensor, other: Tensor, where: str) -> None:
        if mine.shape != other.shape:
            shapes = f"{tuple(other.shape)}, and torch gives {tuple(mine.shape)}"
            raise ExportError(self.failure, f"Its output '{name}' is {shapes}, {where}.", self.fix)
        if not mine.numel():
            return
        difference = (mine - other).abs()
        difference[mine == other] = 0.0  # infinities of one sign
        difference = difference.nan_to_num(nan=torch.inf, posinf=torch.inf)
        worst = float(difference.max())
        outputs = self.parity.outputs
        outputs[name] = max(outputs.get(name, 0.0), worst)
        finite = mine[mine.isfinite()]
        largest = float(finite.abs().max()) if finite.numel() else 0.0
        allowed = self.tolerance.output * max(1.0, largest)
        beyond = int((difference > allowed).sum())
        if worst == torch.inf or beyond > self.tolerance.outliers * difference.numel():
            share = beyond / difference.numel()
            case = (
                f"Its output '{name}' differs from torch by {worst:.3g} at "
                f"{_index_of_largest(difference)}, {where}; {allowed:.3g} is allowed"
                f"{self._outliers(share)}."
            )
            if worst == torch.inf:
                raise ExportError(self.failure, case, self.fix)
            self.refused = self.refused or case

    def _outliers(self, share: float) -> str:
        """The allowed and the actual share of outliers, in words; empty if none are allowed."""
        most = self.tolerance.outliers
        return (
            f" for all but {most:.1%} of its numbers, and {share:.1%} differ by more"
            if most
            else ""
        )

    def of_detections(
        self, ours: Detections, theirs: Detections, *, floor: float, where: str
    ) -> None:
        """Compares the detections of an image: each needs a match in the other list, except those
        within the tolerance of the floor."""
        tolerance, parity = self.tolerance, self.parity
        for first, second in ((ours, theirs), (theirs, ours)):
            for row in (first.scores >= floor).nonzero().flatten().tolist():
                score, box = _nearest(first, row, second, tolerance)
                if score <= tolerance.score and box <= tolerance.pixels:
                    parity.score, parity.box = max(parity.score, score), max(parity.box, box)
                elif float(first.scores[row]) > floor + tolerance.score:
                    parity.unmatched += 1
                    self.first = self.first or (
                        f"Its detection of '{first.class_names[row]}', score "
                        f"{float(first.scores[row]):.3f}, is not the same as torch's: no other is "
                        f"nearer than {box:.3g} pixels and {score:.3g} of a score, {where}."
                    )
        parity.detections += int((ours.scores >= floor).sum())

    def check(self) -> None:
        """Raises: ExportError if an output differs too much, or more detections than allowed have
        no match."""
        if self.refused:
            raise ExportError(self.failure, [self.refused, self._apart()], self.fix)
        if self.parity.unmatched > self.tolerance.unmatched * self.parity.detections:
            raise ExportError(self.failure, self.first, self.fix)

    def _apart(self) -> str:
        """How far the detections are apart, in a sentence or two."""
        parity, tolerance = self.parity, self.tolerance
        if not parity.detections and not parity.unmatched:
            return f"No detection that scores {tolerance.floor:g} could be compared."
        alike = (
            f"Of torch's {pluralize(parity.detections, 'detection')} and its own, "
            f"{parity.unmatched} have no match within {tolerance.pixels:g} pixels and "
            f"{tolerance.score:g} of a score; the others are at most {parity.box:.2g} pixels and "
            f"{parity.score:.2g} of a score apart."
        )
        return f"{alike} {self.first}".rstrip()


def _index_of_largest(difference: Tensor) -> list[int]:
    """The indices of the largest difference."""
    return [int(index) for index in torch.unravel_index(difference.argmax(), difference.shape)]


def _nearest(
    first: Detections, row: int, second: Detections, tolerance: Tolerance
) -> tuple[float, float]:
    """The differences of score and box to the most similar detection of the same class."""
    same = second.labels == first.labels[row]
    if not bool(same.any()):
        return torch.inf, torch.inf
    boxes = (second.boxes[same] - first.boxes[row]).abs().amax(dim=1)
    scores = (second.scores[same] - first.scores[row]).abs()
    best = int((boxes / tolerance.pixels + scores / tolerance.score).argmin())
    return float(scores[best]), float(boxes[best])
