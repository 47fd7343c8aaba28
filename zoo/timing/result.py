"""Results of a benchmark: a row for each model, engine, number of threads and batch; as a table,
as JSON, and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import to_builtins

from zoo.errors import ZooError
from zoo.timing.clock import quantile
from zoo.timing.steadiness import Steadiness
from zoo.timing.timed import Call, Facts, Variant

PARTS = ("read", "preprocess", "network", "postprocess")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The times of one model with batches of one size.

    requested: the engine that was requested; engine: the one that ran, with its version.
    input: height and width of the network's input. calls: number of timed calls, a batch each.
    median_ms, p95_ms: of a call, from images in memory to boxes. images_per_s: in a median call.
    read_ms: to read an image's file or bytes, which is not part of the call. preprocess_ms,
        network_ms, postprocess_ms: per image; null if the predictor does not name its steps.
    start_s: from the start of its process to the first boxes. memory_mb: the peak of the process,
        or of allocations on a CUDA device. gflops: of one image.
    warm: whether it had stopped getting faster before it was timed.
    """

    model: str
    requested: str
    engine: str
    threads: int | None
    batch: int
    input: tuple[int, int]
    calls: int
    median_ms: float
    p95_ms: float
    images_per_s: float
    read_ms: float
    preprocess_ms: float | None
    network_ms: float | None
    postprocess_ms: float | None
    start_s: float
    memory_mb: float | None
    gflops: float | None
    warm: bool

    @classmethod
    def of(
        cls,
        calls: Sequence[Call],
        facts: Facts,
        *,
        requested: str,
        batch: int,
        start: float,
        warm: bool,
    ) -> Row:
        """The row of these calls."""
        seconds = sorted(call.seconds for call in calls)
        median = quantile(seconds, 0.5)
        return cls(
            model=facts.name,
            requested=requested,
            engine=facts.engine,
            threads=facts.threads,
            batch=batch,
            input=facts.input,
            calls=len(calls),
            median_ms=1000 * median,
            p95_ms=1000 * quantile(seconds, 0.95),
            images_per_s=batch / median,
            start_s=start,
            memory_mb=facts.peak_mb,
            gflops=facts.gflops,
            warm=warm,
            **{f"{part}_ms": _share(calls, part, batch) for part in PARTS},  # type: ignore[arg-type]
        )


def _share(calls: Sequence[Call], part: str, batch: int) -> float | None:
    """The median of a part, in milliseconds per image."""
    values = [getattr(call, part) for call in calls]
    if any(value is None for value in values):
        return None
    return 1000 * quantile(sorted(values), 0.5) / batch


class NotTimed(msgspec.Struct, frozen=True, kw_only=True):
    """A model that an engine could not run, and the three parts of its error.

    exit_code: of the error's class.
    """

    model: str
    engine: str
    threads: int | None
    failure: str
    case: str
    fix: str
    exit_code: int

    @classmethod
    def of(cls, variant: Variant, error: ZooError) -> NotTimed:
        """The error of a variant, with its advice for the command line."""
        return cls(
            model=variant.model,
            engine=variant.engine or "torch",
            threads=variant.threads,
            failure=error.failure,
            case=error.case,
            fix=error.fix_cli,
            exit_code=error.exit_code,
        )

    @property
    def title(self) -> str:
        """The model and how it was to run."""
        threads = f", {self.threads} threads" if self.threads else ""
        return f"{self.model} by {self.engine}{threads}"

    @property
    def message(self) -> str:
        """The error in a line."""
        return " ".join(part for part in (self.failure, self.case, self.fix) if part)


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were measured in turn, and the machine that they were measured on.

    failures: the models and engines that have no row. rounds: number of rounds; every row ran in
    each. images: the images of the calls.
    hardware, software: facts by name. steadiness: of the machine during the rounds.
    """

    rows: tuple[Row, ...]
    failures: tuple[NotTimed, ...] = ()
    rounds: int
    images: str
    hardware: dict[str, str]
    software: dict[str, str]
    steadiness: Steadiness

    @property
    def remarks(self) -> list[str]:
        """Sentences that say why numbers may be unreliable."""
        flaw = self.steadiness.flaw
        cold = [
            f"{row.model} by {row.engine}, batch {row.batch}, was still getting faster or varied."
            for row in self.rows
            if not row.warm
        ]
        return [*([flaw] if flaw else []), *cold]

    def to_json(self) -> dict[str, Any]:
        """A dict for `json.dump`."""
        facts: dict[str, Any] = to_builtins(self)
        return {**facts, "remarks": self.remarks}

    def plot(self, path: str | Path) -> None:
        """Draws images per second and the parts of an image's time, as a PNG.

        Raises: MissingExtra if matplotlib is not installed. DataError if the file can't be written.
        """
        from zoo.timing.plot import save  # deferred: it imports matplotlib

        save(self, Path(path))
