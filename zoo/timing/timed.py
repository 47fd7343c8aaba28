"""A model that is timed in this process: loaded, warmed up, and run on batches of real images.

A call is a batch of images in, boxes out. What preprocess, network and decode take of it is known
of predictors whose steps are named (`zoo.inference.runner.step`), as all of the zoo's are.
Reading the images is timed on its own. Operations are those of matrix products and convolutions in
one forward pass, counted while it runs (`torch.utils.flop_counter`), a multiply-add as two. Memory
is the peak of the process, with Python and torch in it, or what was allocated on an accelerator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import msgspec

from zoo.timing.clock import resident_peak

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from zoo.detectors.detector import BasePredictor

SEED = 0
IMAGES = 16  # different ones that are timed in turn, at most
SCENES = f"shapes:val,count={IMAGES},size=480"
STEPS = {"preprocess": "preprocess", "decode": "postprocess"}
NETWORK = ("forward", "forward without content")
WARM = 1.1  # times the least of its calls that the last ones of a warm-up take at most
LAST = 3


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A model to be timed, and how it is run.

    weights, labels, device, engine: as for `zoo.load`. threads: of the arithmetic; None is one a
    core. images: paths; or data, a data set of which the first are taken; rendered scenes where
    neither is given. registry: files with models of one's own. score, iou, max_boxes, exif: see
    `Protocol`.
    """

    model: str
    weights: bool | str = True
    labels: str | list[str] | None = None
    device: str | None = None
    engine: str | None = None
    threads: int | None = None
    images: list[str] = []
    data: str | None = None
    registry: list[str] = []
    score: float | None = None
    iou: float | None = None
    max_boxes: int | None = None
    exif: Literal["apply", "ignore"] = "apply"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one call, images in memory to boxes; of reading the images before it, and of its
    steps, None where they have no names."""

    seconds: float
    read: float
    preprocess: float | None = None
    network: float | None = None
    postprocess: float | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how a model ran.

    engine: what computed its network, with its version. input: `(height, width)` of the first
    image in it. peak_mb: millions of bytes.
    """

    name: str
    engine: str
    hardware: str
    threads: int | None
    input: tuple[int, int]
    images: int
    peak_mb: float | None
    gflops: float | None


class TimedModel:
    """A model, and images for it. Raises: what loading it and reading them raise."""

    def __init__(self, variant: Variant) -> None:
        import torch  # deferred: who times in another process needs none here

        from zoo.detectors import Protocol

        if variant.threads:
            torch.set_num_threads(variant.threads)
        self._variant = variant
        self.predictor = _loaded(variant)
        protocol = Protocol(score=variant.score, iou=variant.iou, max_boxes=variant.max_boxes)
        self._thresholds = protocol.thresholds(self.predictor.defaults)
        self._sources = list(_sources_of(variant))
        self._alike = _alike(self.predictor, [self._read(source) for source in self._sources])
        self._turns: dict[int, Iterator[str | bytes]] = {}

    def run(self, batch: int, *, calls: int, seconds: float) -> list[Call]:
        """As many calls as that, fewer where they take too long, but one at least."""
        done: list[Call] = []
        until = perf_counter() + seconds
        while len(done) < calls and (not done or perf_counter() < until):
            done.append(self._call(batch))
        return done

    def warm_up(self, batch: int, *, calls: int, seconds: float) -> bool:
        """Runs until it gets no faster; whether it did before the time was over."""
        taken: list[float] = []
        until = perf_counter() + seconds
        while perf_counter() < until or not taken:
            taken.append(self._call(batch).seconds)
            if len(taken) >= calls and is_warm(taken):
                return True
        return len(taken) >= calls

    def facts(self) -> Facts:
        """Facts that are known now, the most memory up to here with them."""
        import torch

        from zoo.evaluate.predictions.provenance import hardware

        device = self.predictor.device
        known = hardware(device)
        on_processor = device.type == "cpu"
        image = self._read(self._sources[0])
        version = getattr(self.predictor, "version", torch.__version__)
        return Facts(
            name=self.predictor.name or self._variant.model,
            engine=f"{self.predictor.engine or 'torch'} {version}",
            hardware=(known.get("processor") if on_processor else known.get("device")) or "unknown",
            threads=torch.get_num_threads() if on_processor else None,
            input=self.predictor.input_size(*image.shape[-2:]),
            images=len(self._sources),
            peak_mb=_peak_mb(device),
            gflops=_gflops(self.predictor, image),
        )

    def _call(self, batch: int) -> Call:
        from zoo.inference.watch import watch_steps

        begun = perf_counter()
        images = [self._read(source) for source in self._next(batch)]
        read = perf_counter() - begun
        images = [image.to(self.predictor.device) for image in images]
        begun = self._now()
        with watch_steps(self._now) as steps:
            self.predictor.predict(images, self._thresholds)
        seconds = self._now() - begun
        return Call(seconds=seconds, read=read, **_parts(steps))

    def _next(self, batch: int) -> list[str | bytes]:
        """The sources of the next call: any image alone, those of one input size together."""
        if batch not in self._turns:
            self._turns[batch] = cycle(self._sources if batch == 1 else self._alike_sources())
        return list(islice(self._turns[batch], batch))

    def _alike_sources(self) -> list[str | bytes]:
        return [self._sources[place] for place in self._alike]

    def _read(self, source: str | bytes) -> Tensor:
        from zoo.images import read

        return read(source, exif=self._variant.exif).pixels

    def _now(self) -> float:
        """The time, once an accelerator has done what it was told."""
        if self.predictor.device.type != "cpu":
            import torch

            torch.accelerator.synchronize(self.predictor.device)
        return perf_counter()


def _peak_mb(device: torch.device) -> float | None:
    """The most memory up to here: of this process, or that torch had on a CUDA device; of others
    it says no such number."""
    import torch

    if device.type == "cpu":
        return resident_peak()
    return torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None


def is_warm(taken: Sequence[float]) -> bool:
    """Whether the last calls took about as long as the fastest."""
    last = sorted(taken[-LAST:])
    return len(taken) >= LAST and last[LAST // 2] <= WARM * min(taken)


@contextmanager
def same_weights() -> Iterator[None]:
    """Random weights that are made in the block are the same ones each time."""
    import torch  # deferred, as above

    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        yield


def _loaded(variant: Variant) -> BasePredictor:
    from zoo.detectors import load
    from zoo.registry import add

    for path in variant.registry:
        add(path)
    with same_weights():
        return load(
            variant.model,
            weights=variant.weights,
            labels=variant.labels,
            device=variant.device,
            engine=_engine_of(variant),
        )


def _engine_of(variant: Variant) -> str | None:
    """The engine as `zoo.load` takes it."""
    if variant.threads is None or variant.engine in (None, "torch"):
        return variant.engine
    return f"{variant.engine},threads={variant.threads}"


def _sources_of(variant: Variant) -> Iterator[str | bytes]:
    """The images that a variant is timed on."""
    if variant.images:
        yield from variant.images[:IMAGES]
        return
    from zoo.data import read

    for record in read(variant.data or SCENES).images[:IMAGES]:
        source = record.source()
        yield source if isinstance(source, bytes) else str(source)


def _alike(predictor: BasePredictor, images: Sequence[Tensor]) -> list[int]:
    """The places of the images whose input size most of them have."""
    sizes = [predictor.input_size(*image.shape[-2:]) for image in images]
    [(most, _)] = Counter(sizes).most_common(1)
    return [place for place, size in enumerate(sizes) if size == most]


def _parts(steps: dict[str, float]) -> dict[str, float | None]:
    """Seconds by part of a call; none where its steps have no names."""
    if not STEPS.keys() <= steps.keys():
        return {}
    parts: dict[str, float | None] = {STEPS[name]: steps[name] for name in STEPS}
    network = [taken for name, taken in steps.items() if name in NETWORK or "graph" in name]
    return {**parts, "network": sum(network)}


def _gflops(predictor: BasePredictor, image: Tensor) -> float | None:
    """Billions of operations of one forward pass; of an engine, those of the network that it was
    made of."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from zoo.detectors import Detector

    network = getattr(predictor, "network", predictor)
    if not isinstance(network, Detector):
        return None
    batch = network.preprocess([image], device=network.device, dtype=network.dtype)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(batch)
    return counter.get_total_flops() / 1e9 or None
