"""`zoo benchmark`: times models and engines in turn, each in its own process.

With `--json`, one object: rows (model, asked, engine, threads, batch, input, calls, median_ms,
p95_ms, images_per_s, read_ms, preprocess_ms, network_ms, postprocess_ms, start_s, memory_mb,
gflops, warm), failures (model, engine, threads, failure, case, fix, exit_code) of those that have
no row, rounds, images, hardware, software, steadiness {slowest, computed} and remarks.

The exit code is 1 if some could not run; if none could, that of their error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from zoo.cli import output, stderr
from zoo.cli.exit_code import exit_code
from zoo.cli.format import UNKNOWN, table
from zoo.cli.options import Device, NewLabels, Weights, check_names, labels_of, weights_of
from zoo.errors import UsageError
from zoo.extras import optional

if TYPE_CHECKING:
    from zoo.timing import Benchmark, Row

HEADER = (
    "model", "engine", "threads", "batch", "median", "p95", "images/s",
    "read", "pre", "network", "post", "memory", "start",
)  # fmt: skip
LEFT_ALIGNED = ("model", "engine")
UNITS = (
    "median, p95: ms from images in memory to boxes, of a batch; read, pre, network, post: ms an "
    "image; memory: MB; start: s, with the export the first time that an engine needs one"
)

Names = Annotated[
    list[str], typer.Argument(metavar="NAME", help="Names that zoo list shows, or file:PATH.")
]
Engines = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        metavar="NAMES",
        help="torch, auto, onnxruntime, openvino, compile, with commas between; else torch, and of "
        "an exported file what runs its format.",
        show_default=False,
    ),
]
Batches = Annotated[
    str, typer.Option("--batch", metavar="COUNTS", help="Images given at once, as 1,8.")
]
Threads = Annotated[
    str | None,
    typer.Option(metavar="COUNTS", help="Threads of the arithmetic, as 1,2; else one a core."),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH", help="Images to look at, not rendered scenes.", show_default=False
    ),
]
Data = Annotated[
    str | None, typer.Option(metavar="coco:FILE", help="A data set whose images to look at.")
]
Score = Annotated[float, typer.Option(metavar="SCORE", min=0, max=1, help="Drop boxes below it.")]
Rounds = Annotated[int, typer.Option(metavar="COUNT", help="Times that each has its turn.")]
Seconds = Annotated[
    float, typer.Option(metavar="SECONDS", help="Length of a turn, for each batch size.")
]
Plot = Annotated[
    Path | None,
    typer.Option(metavar="OUT.png", help="Draw images a second, and the parts of their time."),
]


def benchmark(  # noqa: PLR0913 - one parameter an option
    models: Names,
    engine: Engines = None,
    batch: Batches = "1,8",
    threads: Threads = None,
    images: Images = None,
    data: Data = None,
    weights: Weights = None,
    labels: NewLabels = None,
    device: Device = None,
    score: Score = 0.3,
    rounds: Rounds = 5,
    seconds: Seconds = 1.0,
    plot: Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Time models and engines: latency, images a second by batch, memory, start-up.

    Each has a process of its own, and they run in turn. A fixed piece of work before, between and
    after the rounds says whether the machine was steady.
    """
    check_names(models)
    from zoo.timing.benchmark import benchmark as run_benchmark  # deferred: help does not need it

    _check_plot(plot)
    result = run_benchmark(
        models,
        engines=_engines(engine) if engine else None,
        batches=_counts("--batch", batch),
        threads=None if threads is None else _counts("--threads", threads),
        images=images,
        data=data,
        weights=weights_of(weights),
        labels=None if labels is None else labels_of(labels),
        device=device,
        score=score,
        rounds=rounds,
        seconds=seconds,
    )
    if plot and result.rows:
        result.plot(plot)
    if as_json:
        output.document(msgspec.json.format(msgspec.json.encode(result.to_json())).decode())
    elif result.rows:
        output.lines(_page(result))
    for remark in result.remarks:
        stderr.warning(remark)
    raise typer.Exit(_exit_code(result))


def _exit_code(result: Benchmark) -> int:
    """The exit code, after the errors of those that could not run are printed."""
    for each in result.failures:
        stderr.error(each.message, about=each.title)
    codes = [each.exit_code for each in result.failures]
    return exit_code(codes, some_done=bool(result.rows))


def _check_plot(path: Path | None) -> None:
    """Raises: UsageError if the plot is not a PNG; MissingExtra without matplotlib."""
    if path and path.suffix != ".png":
        case = "A plot is a PNG."
        raise UsageError(f"--plot {path} was given.", case, "Write --plot speed.png")
    if path:
        optional("matplotlib", wanted_for="Plots", extra="plots")


def _engines(texts: Sequence[str]) -> list[str]:
    """The names in comma-separated texts. Raises: UsageError."""
    names = [name.strip() for text in texts for name in text.split(",")]
    if not all(names):
        case = "A name before or after a comma is missing."
        raise UsageError("--engine was given.", case, "Write --engine torch,onnxruntime")
    return names


def _counts(option: str, text: str) -> list[int]:
    """The numbers in a comma-separated text. Raises: UsageError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts):
        case = "It is a number, or several with commas between."
        raise UsageError(f"{option} {text:.40} was given.", case, f"Write {option} 1,8")
    return [int(part) for part in parts]


def _page(result: Benchmark) -> list[str]:
    right = [name for name in HEADER if name not in LEFT_ALIGNED]
    facts = {**result.hardware, **result.software}
    machine = ", ".join(
        [facts.get("processor", ""), f"{facts.get('threads', '')} cores"]
        + [f"{name} {facts[name]}" for name in ("python", "torch") if name in facts]
    )
    rows = [_cells(row) for row in result.rows]
    about = f"{result.images}, {result.rounds} rounds. {machine}"
    return [*table(HEADER, rows, right=right), "", UNITS, about]


def _cells(row: Row) -> tuple[str, ...]:
    engine = f"{row.requested}: {row.engine}" if row.requested == "auto" else row.engine
    times = (row.median_ms, row.p95_ms, row.images_per_s, row.read_ms, row.preprocess_ms)
    rest = (row.network_ms, row.postprocess_ms)
    return (
        row.model,
        engine,
        UNKNOWN if row.threads is None else str(row.threads),
        str(row.batch),
        *(UNKNOWN if value is None else f"{value:.1f}" for value in (*times, *rest)),
        UNKNOWN if row.memory_mb is None else f"{row.memory_mb:.0f}",
        f"{row.start_s:.1f}",
    )
