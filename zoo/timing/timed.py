"""A model that is timed in this process: loaded, warmed up, and run on batches of real images.

A call takes a batch of images in memory and returns boxes. The times of preprocess, network and
decode are measured for predictors that name their steps (`zoo.inference.runner.step`), as all of
the zoo's do. Reading images is timed separately. Operations are those of matrix products and
convolutions in one forward pass, counted by `torch.utils.flop_counter`, a multiply-add as two.
Memory is the peak of the process, including Python and torch, or of allocations on a CUDA device.
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
IMAGES = 16  # different images that are timed in turn, at most
SCENES = f"shapes:val,count={IMAGES},size=480"
STEPS = {"preprocess": "preprocess", "decode": "postprocess"}
NETWORK = ("forward", "forward without content")
WARM_FACTOR = 1.1  # of the last calls' median to the fastest call, at most, if warm
LAST_CALLS = 3


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A model to time, and the options to run it with.

    weights, labels, device, engine: as for `zoo.load`. threads: compute threads; None is one per
    core. images: paths; or data: a data set, whose first images are taken; rendered scenes if
    neither is given. registry: files with further models. score, iou, max_boxes, exif: see
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
    """Seconds of one call, from images in memory to boxes; of reading the images before it; and of
    its steps, None if the predictor does not name them."""

    seconds: float
    read: float
    preprocess: float | None = None
    network: float | None = None
    postprocess: float | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how a model ran.

    engine: name and version of the engine that computed its network. input: `(height, width)` of
    the network's input for the first image. peak_mb: in millions of bytes.
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
    """A model and its images. Raises: what loading the model and reading the images raise."""

    def __init__(self, variant: Variant) -> None:
        import torch  # deferred: the process that starts workers does without

        from zoo.detectors import Protocol

        if variant.threads:
            torch.set_num_threads(variant.threads)
        self._variant = variant
        self.predictor = _load(variant)
        protocol = Protocol(score=variant.score, iou=variant.iou, max_boxes=variant.max_boxes)
        self._thresholds = protocol.thresholds(self.predictor.defaults)
        self._sources = list(_sources_of(variant))
        self._alike = _alike(self.predictor, [self._read(source) for source in self._sources])
        self._turns: dict[int, Iterator[str | bytes]] = {}

    def run(self, batch: int, *, calls: int, seconds: float) -> list[Call]:
        """Runs that many calls, or fewer if the seconds are over, but at least one."""
        done: list[Call] = []
        until = perf_counter() + seconds
        while len(done) < calls and (not done or perf_counter() < until):
            done.append(self._call(batch))
        return done

    def warm_up(self, batch: int, *, calls: int, seconds: float) -> bool:
        """Runs until it gets no faster, or the time is over; returns whether the time sufficed."""
        durations: list[float] = []
        until = perf_counter() + seconds
        while perf_counter() < until or not durations:
            durations.append(self._call(batch).seconds)
            if len(durations) >= calls and is_warm(durations):
                return True
        return len(durations) >= calls

    def facts(self) -> Facts:
        """The facts so far, including peak memory."""
        import torch

        from zoo.evaluate.predictions.provenance import hardware
        from zoo.inference.runner import optional_members

        device = self.predictor.device
        hardware_names = hardware(device)
        on_processor = device.type == "cpu"
        image = self._read(self._sources[0])
        version = optional_members(self.predictor).version or torch.__version__
        return Facts(
            name=self.predictor.name or self._variant.model,
            engine=f"{self.predictor.engine or 'torch'} {version}",
            hardware=(
                hardware_names.get("processor") if on_processor else hardware_names.get("device")
            )
            or "unknown",
            threads=torch.get_num_threads() if on_processor else None,
            input=self.predictor.input_size(*image.shape[-2:]),
            images=len(self._sources),
            peak_mb=_peak_mb(device),
            gflops=_gflops(self.predictor, image),
        )

    def _call(self, batch: int) -> Call:
        from zoo.inference.watch import watch_steps

        begin = perf_counter()
        images = [self._read(source) for source in self._next(batch)]
        read = perf_counter() - begin
        images = [image.to(self.predictor.device) for image in images]
        begin = self._now()
        with watch_steps(self._now) as steps:
            self.predictor.predict(images, self._thresholds)
        seconds = self._now() - begin
        return Call(seconds=seconds, read=read, **_parts(steps))

    def _next(self, batch: int) -> list[str | bytes]:
        """The sources of the next call: any of them for a batch of one; else those with the most
        common input size."""
        if batch not in self._turns:
            self._turns[batch] = cycle(self._sources if batch == 1 else self._alike_sources())
        return list(islice(self._turns[batch], batch))

    def _alike_sources(self) -> list[str | bytes]:
        return [self._sources[index] for index in self._alike]

    def _read(self, source: str | bytes) -> Tensor:
        from zoo.images import read

        return read(source, exif=self._variant.exif).pixels

    def _now(self) -> float:
        """The time in seconds, after an accelerator has finished its work."""
        if self.predictor.device.type != "cpu":
            import torch

            torch.accelerator.synchronize(self.predictor.device)
        return perf_counter()


def _peak_mb(device: torch.device) -> float | None:
    """Peak memory so far, in millions of bytes: of this process, or of torch on a CUDA device; None
    on other devices, for which torch does not report it."""
    import torch

    if device.type == "cpu":
        return resident_peak()
    return torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None


def is_warm(seconds: Sequence[float]) -> bool:
    """Whether the median of the last calls is close to the fastest, given seconds per call."""
    last = sorted(seconds[-LAST_CALLS:])
    return len(seconds) >= LAST_CALLS and last[LAST_CALLS // 2] <= WARM_FACTOR * min(seconds)


@contextmanager
def same_weights() -> Iterator[None]:
    """Random weights that are created inside the context are the same each time."""
    import torch  # deferred, as above

    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        yield


def _load(variant: Variant) -> BasePredictor:
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
    """The indices of the images with the most common input size."""
    sizes = [predictor.input_size(*image.shape[-2:]) for image in images]
    [(usual, _)] = Counter(sizes).most_common(1)
    return [index for index, size in enumerate(sizes) if size == usual]


def _parts(steps: dict[str, float]) -> dict[str, float | None]:
    """Seconds by part of a call; empty if the predictor does not name its steps."""
    if not STEPS.keys() <= steps.keys():
        return {}
    parts: dict[str, float | None] = {STEPS[name]: steps[name] for name in STEPS}
    network = [seconds for name, seconds in steps.items() if name in NETWORK or "graph" in name]
    return {**parts, "network": sum(network)}


def _gflops(predictor: BasePredictor, image: Tensor) -> float | None:
    """Billions of operations of one forward pass; for an engine, of the network that it was
    exported from."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from zoo.detectors import Detector
    from zoo.inference.runner import optional_members

    exported = optional_members(predictor).network
    network = predictor if exported is None else exported
    if not isinstance(network, Detector):
        return None
    batch = network.preprocess([image], device=network.device, dtype=network.dtype)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(batch)
    return counter.get_total_flops() / 1e9 or None
