"""INT8 by post-training quantisation, within a budget of AP: the layers that cost most go back to
float32 until what is measured on held-out images is within it."""

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
from zoo.engines.draft import Draft, Made
from zoo.engines.engine import Engine
from zoo.engines.formats import label_onnx
from zoo.engines.latency import Speed, compared
from zoo.engines.quantizer import Layer, Quantizer
from zoo.engines.sensitivity import ranked
from zoo.errors import ExportError, UsageError
from zoo.evaluate.report import Report
from zoo.progress import Bar
from zoo.registry.exported import ExportFacts
from zoo.text import pluralize

INT8 = "int8"
MOST = 64  # images to calibrate on
RANKED = 8  # of these, the images that tell which layers cost most
CALIBRATED = 0.25  # of the images, where none are held out by name


@dataclass(frozen=True)
class Int8:
    """An INT8 file, and how good it has to be.

    calibrate: annotated images, as `zoo.data.read` takes them; a quarter of them, and 64 at most,
               are calibrated on, and AP is measured on the others. Where data is given as well, AP
               is measured on that.
    budget:    points of AP that may be lost.
    even_if_slower: write a file that is within the budget also where it is not faster, as it is
               smaller.
    Raises: UsageError for a budget that can't be.
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
    """A file that was tried. floating: how many layers are in float32. lost: points of AP."""

    floating: int
    ap: float
    lost: float


@dataclass(frozen=True)
class Quantized:
    """The outcome: the layers in int8, the speed, and what was tried.

    layers:     that the network has; floating: those that are in float32.
    calibrated: images.
    speed:      of the network. tried: every file whose AP was measured.
    """

    layers: int
    floating: tuple[str, ...]
    calibrated: int
    budget: float
    speed: Speed
    tried: tuple[Variant, ...]


def quantized(
    draft: Draft, made: Made, folder: Path, wanted: Int8, data: Dataset | None, *, show: bool | None
) -> tuple[Made, Quantized]:
    """The INT8 file of a float32 ONNX file, in a folder. data: to measure on.

    Raises: ExportError where no file is both within the budget and faster; UsageError, DataError.
    """
    images, held = split(wanted.calibrate, data)
    before = draft.engine(made.file, made.facts, threads=1)
    pixels = [images.image(position).pixels for position in range(len(images))]
    with Bar(
        f"Calibrating on {pluralize(len(pixels), 'image')}", total=len(pixels), show=show
    ) as bar:
        inputs = _inputs(before, pixels, done=bar.advance)
        quantizer = Quantizer(made.file, folder, inputs)
    work = Work(draft, made, folder, quantizer, before, report(before, held), held)
    with Bar(f"Trying {draft.choice.name} in INT8", total=len(quantizer.layers), show=show) as bar:
        order = ranked(
            quantizer.layers,
            pixels[:RANKED],
            before,
            lambda layer: work.engine(work.written([layer])),
            done=lambda _: bar.advance(),
        )
    tried, count, measured = work.within(order, wanted.budget)
    file = work.written(order[count:])
    batch = before.preprocess([pixels[0]] * (made.facts.input.batch or 1))
    speed = compared(before, work.engine(file), batch)
    outcome = Quantized(
        layers=len(order),
        floating=tuple(layer.name for layer in order[:count]),
        calibrated=len(pixels),
        budget=wanted.budget,
        speed=speed,
        tried=tried,
    )
    check_worth(draft.choice.name, outcome, measured, wanted)
    facts = structs.replace(
        work.facts, measured=asdict(measured) | {"int8": asdict(outcome)}, parity=made.facts.parity
    )
    label_onnx(file, facts)
    return Made(file, facts, made.parity, made.tried, measured), outcome


def split(
    calibrate: str | os.PathLike[str] | Dataset, data: Dataset | None
) -> tuple[Dataset, Dataset]:
    """The images to calibrate on, and those to measure on, none in both.

    Raises: UsageError where one of the two has none; DataError.
    """
    given = read_data(calibrate)
    if data is None:
        images, held = given.split(calibrate=CALIBRATED, held=1 - CALIBRATED)
    else:
        images, held = given, data
        if given.sha256 == data.sha256:
            raise UsageError(
                f"AP can't be measured on {data.name}.",
                "The file is calibrated on the same images, and would look better than it is.",
                "Leave the data out, so that some are held out; or name others.",
                fix_cli="Leave --data out, so that some are held out; or name others.",
            )
    if not len(images) or not len(held):
        raise UsageError(
            f"A file can't be calibrated on {given.name}.",
            f"It has {pluralize(len(given), 'image')}: some to calibrate on are needed, and others "
            "to measure on.",
            "Name a data set with a hundred images or more.",
        )
    return images.subset(range(min(MOST, len(images)))), held


def _inputs(
    engine: Engine, images: Sequence[Tensor], *, done: Callable[[], None]
) -> Iterator[Mapping[str, np.ndarray[Any, Any]]]:
    """The graph's inputs for each image."""
    facts = engine.facts.input
    for image in images:
        batch = engine.preprocess([image] * (facts.batch or 1))
        extras = {name: batch.extras[name].numpy() for name in facts.extras}
        yield {facts.name: batch.pixels.contiguous().numpy(), **extras}
        done()


@dataclass
class Work:
    """Files that are tried. report: of the float32 graph, `before`, on the held-out images."""

    draft: Draft
    made: Made
    folder: Path
    quantizer: Quantizer
    before: Engine
    report: Report
    held: Dataset

    @property
    def facts(self) -> ExportFacts:
        """The facts of an INT8 file."""
        return structs.replace(self.made.facts, precision=INT8, parity={})

    def written(self, layers: Sequence[Layer]) -> Path:
        """A file with these layers in int8; the one before is overwritten."""
        return self.quantizer.write(self.folder / "int8.onnx", layers)

    def engine(self, file: Path) -> Engine:
        """The engine of a file, with one thread."""
        return self.draft.engine(file, self.facts, threads=1)

    def within(
        self, order: Sequence[Layer], budget: float
    ) -> tuple[tuple[Variant, ...], int, Accuracy]:
        """Every file that was tried; the least number of layers in float32, first ones first, with
        which AP is within the budget; and what was measured then.

        The number is doubled until it is, and then halved in between.
        Raises: ExportError where none is.
        """
        tried: list[Variant] = []

        def measured(count: int) -> Accuracy:
            engine = self.engine(self.written(order[count:]))
            result = accuracy(self.report, report(engine, self.held))
            tried.append(Variant(count, result.after, result.lost))
            return result

        low, high = -1, 0
        best = measured(0)
        while best.lost > budget:
            low, high = high, max(1, 2 * high)
            if high >= len(order):
                high = len(order) - 1
                if low >= high:
                    raise _lost(self.draft, budget, tried)
            best = measured(high)
        while high - low > max(1, high // 8):
            middle = (low + high) // 2
            result = measured(middle)
            low, high, best = (
                (low, middle, result) if result.lost <= budget else (middle, high, best)
            )
        return tuple(tried), high, best


def _lost(draft: Draft, budget: float, tried: Sequence[Variant]) -> ExportError:
    best = min(tried, key=lambda variant: variant.lost)
    return ExportError(
        f"'{draft.choice.name}' can't be exported in INT8 within {budget:g} points of AP.",
        f"With {best.floating} layers in float32 and one in int8 it still loses {best.lost:.2f}.",
        "Nothing was written. Allow a larger budget, or export with half=True.",
        fix_cli="Nothing was written. Allow a larger --budget, or export with --half.",
    )


def check_worth(name: str, outcome: Quantized, measured: Accuracy, wanted: Int8) -> None:
    """Raises: ExportError for a file that is not faster, unless its size alone is wanted."""
    if outcome.speed.faster or wanted.even_if_slower:
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
