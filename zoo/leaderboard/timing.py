"""How fast a model is and how much it takes, measured in a process of its own so that nothing else
counts.

Latency is one image in, boxes out: preprocess, forward and decode in batches of one, after a warm-
up, on images of the data set; reading files is not counted. Operations are those of matrix products
and convolutions in one forward pass, counted while it runs (`torch.utils.flop_counter`), a
multiply-add as two. Memory is the peak of the process, with Python and torch in it, or what was
allocated on an accelerator.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from zoo.errors import DataError, ZooError
from zoo.leaderboard.entry import Timing

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.detectors import Detector

SEED = 0
IMAGES = 16  # different ones that are timed in turn, at most


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A model to be timed, and how.

    weights, labels: as for `zoo.load`. images: paths. registry: files with models of one's own.
    score, iou, max_boxes, exif: see `Protocol`. seconds: after so long no more runs begin.
    """

    model: str
    weights: bool | str = True
    labels: str | list[str] | None = None
    images: Annotated[list[str], Meta(min_length=1)]
    registry: list[str] = []
    score: float | None = None
    iou: float | None = None
    max_boxes: int | None = None
    exif: Literal["apply", "ignore"] = "apply"
    device: str | None = None
    warm_up: Annotated[int, Meta(ge=1)] = 5
    runs: Annotated[int, Meta(ge=1)]
    seconds: float = 20.0


def time_model(request: Request) -> Timing:
    """The timing of a model, measured in a new process. Raises: DataError with what that process
    said where it failed."""
    command = [sys.executable, "-m", "zoo.leaderboard.timing"]
    done = subprocess.run(command, input=msgspec.json.encode(request), capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        case = said[-1] if said else f"The process ended with {done.returncode}."
        raise DataError(
            f"'{request.model}' can't be timed.", case, "Leave timing out with `timing: false`."
        )
    return msgspec.json.decode(done.stdout, type=Timing)


def measure(request: Request) -> Timing:
    """The timing of a model, measured here. Raises: what loading and detecting raise."""
    import torch  # deferred: who asks for a timing in another process needs none here

    from zoo.detectors import Protocol
    from zoo.evaluate.predictions.provenance import hardware
    from zoo.images import read

    detector = loaded(
        request.model,
        request.weights,
        labels=request.labels,
        registry=request.registry,
        device=request.device,
    )
    images = [
        read(path, exif=request.exif).pixels.to(detector.device) for path in request.images[:IMAGES]
    ]
    protocol = Protocol(score=request.score, iou=request.iou, max_boxes=request.max_boxes)

    thresholds = protocol.thresholds(detector.defaults)

    def detect(image: Tensor) -> None:
        detector.predict([image], thresholds)
        if detector.device.type == "cuda":
            torch.cuda.synchronize(detector.device)

    with torch.inference_mode():
        for turn in range(request.warm_up):
            detect(images[turn % len(images)])
        taken = sorted(_timed(detect, images, request))
    peak = (
        torch.cuda.max_memory_allocated(detector.device) / 1e6
        if detector.device.type == "cuda"
        else resident_peak()
    )
    facts = hardware(detector.device)
    on_processor = detector.device.type == "cpu"
    return Timing(
        hardware=(facts.get("processor") if on_processor else facts.get("device")) or "unknown",
        threads=torch.get_num_threads() if on_processor else None,
        runs=len(taken),
        median_ms=1000 * quantile(taken, 0.5),
        p95_ms=1000 * quantile(taken, 0.95),
        peak_mb=peak,
        gflops=_gflops(detector, images[0]),
    )


def loaded(
    model: str,
    weights: bool | str,
    *,
    labels: str | Sequence[str] | None = None,
    registry: Sequence[str] = (),
    device: str | None = None,
) -> Detector:
    """The detector; random weights are the same ones each time."""
    import torch  # deferred, as above

    from zoo.detectors import load
    from zoo.registry import add

    for path in registry:
        add(path)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        return load(model, weights=weights, labels=labels, device=device)


def _timed(
    detect: Callable[[Tensor], None], images: Sequence[Tensor], request: Request
) -> list[float]:
    """Seconds of each run: as many as asked for, fewer where they take too long, but one at
    least."""
    taken: list[float] = []
    until = perf_counter() + request.seconds
    while len(taken) < request.runs and (not taken or perf_counter() < until):
        start = perf_counter()
        detect(images[len(taken) % len(images)])
        taken.append(perf_counter() - start)
    return taken


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    return ascending[max(0, -int(-share * len(ascending) // 1) - 1)]


def resident_peak() -> float | None:
    """The most memory that this process has held, in millions of bytes; None where the system does
    not say.

    Linux is asked for that of this program: its `ru_maxrss` begins with what the process held that
    started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        held = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        return int(held[1]) * 1024 / 1e6 if held else None
    try:
        import resource  # there is none on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _gflops(detector: Detector, image: Tensor) -> float | None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        detector(detector.preprocess([image], device=detector.device, dtype=detector.dtype))
    return counter.get_total_flops() / 1e9 or None


def main() -> None:
    """A request on standard input, a timing on standard output."""
    try:
        timing = measure(msgspec.json.decode(sys.stdin.buffer.read(), type=Request))
    except ZooError as error:
        sys.stderr.write(" ".join(str(error).split()))
        sys.exit(error.exit_code)
    sys.stdout.buffer.write(msgspec.json.encode(timing))


if __name__ == "__main__":
    main()
