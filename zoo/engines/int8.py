"""INT8 by post-training quantisation within a budget of AP: the layers that cost most go back to
float32 until the AP on held-out images is within it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from torch import Tensor

from zoo.data import Dataset
from zoo.data import read as read_data
from zoo.engines.accuracy import Accuracy, accuracy, report
from zoo.engines.draft import Candidate, Draft
from zoo.engines.engine import Engine
from zoo.engines.formats import label_onnx
from zoo.engines.latency import Speed, compare_speed
from zoo.engines.quantizer import Layer, Quantizer
from zoo.engines.sensitivity import rank_layers
from zoo.errors import ExportError, UsageError
from zoo.evaluate.report import Report
from zoo.progress import Bar
from zoo.registry.exported import ExportFacts
from zoo.text import pluralize

INT8 = "int8"
MAX_CALIBRATION = 64  # images to calibrate on
RANKING_IMAGES = 8  # of these, on which layers are ranked by their cost
CALIBRATION_SHARE = 0.25  # of the images, if no other data are named to measure on


@dataclass(frozen=True)
class Int8:
    """The options of an INT8 file.

    calibrate: annotated images, as `zoo.data.read` takes them; a quarter of them, at most 64, are
               used for calibration, and AP is measured on the others, or on `data` if given.
    budget:    points of AP that may be lost.
    even_if_slower: write a file within the budget even if it is not faster, as it is smaller.
    Raises: UsageError for an impossible budget.
    """

    calibrate: str | os.PathLike[str] | Dataset
    budget: float = 0.5
    even_if_slower: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.budget <= 100:
            raise UsageError(
                f"A budget of {self.budget:g} can't be used.",
                "It is the points of AP that may be lost, from 0 to 100.",
                "Write budget=0.5, for example.",
                fix_cli="Write --budget 0.5, for example.",
            )


@dataclass(frozen=True)
class Variant:
    """A file that was tried. floating: number of layers in float32. lost: points of AP."""

    floating: int
    ap: float
    lost: float


@dataclass(frozen=True)
class Quantized:
    """The outcome of a quantisation.

    layers:     number of layers; floating: names of those in float32.
    calibrated: number of calibration images.
    speed:      of the network. tried: every file whose AP was measured.
    """

    layers: int
    floating: tuple[str, ...]
    calibrated: int
    budget: float
    speed: Speed
    tried: tuple[Variant, ...]


def quantize(
    draft: Draft,
    candidate: Candidate,
    folder: Path,
    options: Int8,
    data: Dataset | None,
    *,
    show: bool | None,
) -> tuple[Candidate, Quantized]:
    """Quantises a float32 ONNX file; writes the INT8 file into a folder. data: to measure AP on.

    Raises: ExportError if no file is both within the budget and faster; UsageError, DataError.
    """
    images, held = split(options.calibrate, data)
    before = draft.engine(candidate.file, candidate.facts, threads=1)
    pixels = [images.image(position).pixels for position in range(len(images))]
    with Bar(
        f"Calibrating on {pluralize(len(pixels), 'image')}", total=len(pixels), show=show
    ) as bar:
        inputs = _inputs(before, pixels, done=bar.advance)
        quantizer = Quantizer(candidate.file, folder, inputs)
    work = Work(draft, candidate, folder, quantizer, before, report(before, held), held)
    with Bar(f"Trying {draft.choice.name} in INT8", total=len(quantizer.layers), show=show) as bar:
        order = rank_layers(
            quantizer.layers,
            pixels[:RANKING_IMAGES],
            before,
            lambda layer: work.engine(work.write([layer])),
            done=lambda _: bar.advance(),
        )
    tried, count, measured = work.within(order, options.budget)
    file = work.write(order[count:])
    batch = before.preprocess([pixels[0]] * (candidate.facts.input.batch or 1))
    speed = compare_speed(before, work.engine(file), batch)
    outcome = Quantized(
        layers=len(order),
        floating=tuple(layer.name for layer in order[:count]),
        calibrated=len(pixels),
        budget=options.budget,
        speed=speed,
        tried=tried,
    )
    check_worth(draft.choice.name, outcome, measured, options)
    facts = structs.replace(
        work.facts,
        measured=asdict(measured) | {"int8": asdict(outcome)},
        parity=candidate.facts.parity,
    )
    label_onnx(file, facts)
    return Candidate(file, facts, candidate.parity, candidate.tried, measured), outcome


def split(
    calibrate: str | os.PathLike[str] | Dataset, data: Dataset | None
) -> tuple[Dataset, Dataset]:
    """The images to calibrate on and those to measure on, which don't overlap.

    Raises: UsageError if one of the two has none; DataError.
    """
    dataset = read_data(calibrate)
    if data is None:
        images, held = dataset.split(calibrate=CALIBRATION_SHARE, held=1 - CALIBRATION_SHARE)
    else:
        images, held = dataset, data
        if dataset.sha256 == data.sha256:
            raise UsageError(
                f"AP can't be measured on {data.name}.",
                "The file is calibrated on the same images, and would look better than it is.",
                "Leave the data out, so that some are held out; or name others.",
                fix_cli="Leave --data out, so that some are held out; or name others.",
            )
    if not len(images) or not len(held):
        raise UsageError(
            f"A file can't be calibrated on {dataset.name}.",
            f"It has {pluralize(len(dataset), 'image')}: some are needed to calibrate on, others "
            "to measure on.",
            "Name a data set with a hundred images or more.",
        )
    return images.subset(range(min(MAX_CALIBRATION, len(images)))), held


def _inputs(
    engine: Engine, images: Sequence[Tensor], *, done: Callable[[], None]
) -> Iterator[Mapping[str, np.ndarray[Any, Any]]]:
    """The graph's inputs by name, for each image."""
    facts = engine.facts.input
    for image in images:
        batch = engine.preprocess([image] * (facts.batch or 1))
        extras = {name: batch.extras[name].numpy() for name in facts.extras}
        yield {facts.name: batch.pixels.contiguous().numpy(), **extras}
        done()


@dataclass
class Work:
    """The search for an INT8 file. before: the engine of the float32 graph; report: its numbers on
    the held-out images."""

    draft: Draft
    candidate: Candidate
    folder: Path
    quantizer: Quantizer
    before: Engine
    report: Report
    held_out: Dataset

    @property
    def facts(self) -> ExportFacts:
        """The facts of an INT8 file."""
        return structs.replace(self.candidate.facts, precision=INT8, parity={})

    def write(self, layers: Sequence[Layer]) -> Path:
        """Writes a file with these layers in int8, over the previous one."""
        return self.quantizer.write(self.folder / "int8.onnx", layers)

    def engine(self, file: Path) -> Engine:
        """The engine of an INT8 file, with one thread."""
        return self.draft.engine(file, self.facts, threads=1)

    def within(
        self, order: Sequence[Layer], budget: float
    ) -> tuple[tuple[Variant, ...], int, Accuracy]:
        """Every file that was tried; the smallest number of layers in float32, taken from the front
        of `order`, with which AP is within the budget; and the AP then.

        The number is doubled until AP is within the budget, then found by bisection.
        Raises: ExportError if no number suffices.
        """
        tried: list[Variant] = []

        def measure(count: int) -> Accuracy:
            engine = self.engine(self.write(order[count:]))
            result = accuracy(self.report, report(engine, self.held_out))
            tried.append(Variant(count, result.after, result.lost))
            return result

        low, high = -1, 0
        best = measure(0)
        while best.lost > budget:
            low, high = high, max(1, 2 * high)
            if high >= len(order):
                high = len(order) - 1
                if low >= high:
                    raise _over_budget(self.draft, budget, tried)
            best = measure(high)
        while high - low > max(1, high // 8):
            middle = (low + high) // 2
            result = measure(middle)
            low, high, best = (
                (low, middle, result) if result.lost <= budget else (middle, high, best)
            )
        return tuple(tried), high, best


def _over_budget(draft: Draft, budget: float, tried: Sequence[Variant]) -> ExportError:
    best = min(tried, key=lambda variant: variant.lost)
    return ExportError(
        f"'{draft.choice.name}' can't be exported in INT8 within {budget:g} points of AP.",
        f"With {best.floating} layers in float32 and one in int8 it still loses {best.lost:.2f}.",
        "Nothing was written. Allow a larger budget, or export with half=True.",
        fix_cli="Nothing was written. Allow a larger --budget, or export with --half.",
    )


def check_worth(name: str, outcome: Quantized, measured: Accuracy, options: Int8) -> None:
    """Raises: ExportError for a file that is not faster, unless that is allowed."""
    if outcome.speed.faster or options.even_if_slower:
        return
    raise ExportError(
        f"'{name}' can't be exported in INT8: no file is both within {outcome.budget:g} points of "
        "AP and clearly faster than float32.",
        [
            f"With {len(outcome.floating)} of {outcome.layers} layers in float32, it is within the "
            f"budget: {measured}",
            f"and takes {outcome.speed}.",
        ],
        "Nothing was written. To write it for its size: even_if_slower=True. Or export with "
        "half=True.",
        fix_cli="Nothing was written. To write it for its size: --even-if-slower. Or export with "
        "--half.",
    )
