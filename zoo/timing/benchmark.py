"""`zoo.benchmark`: latency, throughput, memory and start-up of models and engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from os import PathLike
from pathlib import Path

from msgspec import structs

from zoo.counts import count_of
from zoo.errors import DataError, ImageError, UsageError, ZooError
from zoo.progress import Bar
from zoo.registry.exported import FIRST_READABLE_ENGINE
from zoo.registry.folder import exported_of
from zoo.timing.result import Benchmark, NotTimed, Row
from zoo.timing.steadiness import Reference, Steadiness
from zoo.timing.timed import IMAGES, SCENES, Call, Variant
from zoo.timing.worker import Worker

WARM_UP_CALLS, WARM_UP_SECONDS = 3, 5.0
MAX_CALLS = 10_000  # in one round
MAX_COUNT = 4096  # of threads, rounds, seconds, or images in a batch
Say = Callable[[str], None]


@dataclass
class _Timed:
    """One variant and its process; by batch size, whether it was warm, and its calls."""

    worker: Worker
    variant: Variant
    warm: dict[int, bool] = field(default_factory=dict)
    calls: dict[int, list[Call]] = field(default_factory=dict)


def benchmark(  # noqa: PLR0913 - one parameter an option
    models: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    engines: str | Sequence[str] | None = None,
    batches: int | Sequence[int] = (1, 8),
    threads: int | Sequence[int] | None = None,
    images: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    data: str | None = None,
    weights: bool | str = True,
    labels: str | list[str] | None = None,
    device: str | None = None,
    score: float = 0.3,
    rounds: int = 5,
    seconds: float = 1.0,
    progress: bool | None = None,
) -> Benchmark:
    """Times models, each with every engine and number of threads, on batches of every size, in its
    own process. In every round each process has its turn, while the others wait.

    models:  names as for `zoo.load`, or folders and exported files.
    engines: "torch", "auto", "onnxruntime", "openvino", "compile", or a plugin's; None is torch,
             or the engine that runs an exported file.
    batches: numbers of images per call.
    threads: numbers of compute threads; None is one per core.
    images:  up to 16 files, folders or globs; or data: a data set, as `coco:PATH`; else rendered
             scenes.
    rounds:  turns of each process.
    seconds: length of a turn, for each batch size.

    What can't be loaded is left out of the rows, and is in `failures`.

    Raises:
        UsageError: an option has an impossible value. ImageError, DataError: there are no such
        images. Whatever loading raises, if there is only one model and engine.
    """
    counts = _numbers("batches", batches)
    common = Variant(
        model="", weights=weights, labels=labels, device=device, data=data, score=score
    )
    common = structs.replace(common, images=_files(images))
    variants = _variants(models, engines, threads, common)
    _check_options(variants, rounds, seconds, both=bool(images is not None and data))
    total = len(variants) * (1 + len(counts) * (rounds + 1))
    with ExitStack() as stack, Bar("Timing", total=total, show=progress) as bar:
        timed, failures = _start_all(variants, stack, bar.advance)
        _warm_up(timed, counts, bar.advance)
        reference = _rounds(timed, counts, rounds, seconds, bar.advance)
        rows = _rows(timed, counts)
    return _benchmark(rows, failures, rounds, variants[0], reference)


def _variants(
    models: object, engines: object, threads: int | Sequence[int] | None, common: Variant
) -> list[Variant]:
    """Every model with every engine and number of threads."""
    counts: Sequence[int | None] = [None] if threads is None else _numbers("threads", threads)
    names = [name if isinstance(name, str) else f"file:{name}" for name in _as_list(models)]
    return [
        structs.replace(common, model=name, engine=str(engine or _own_engine(name)), threads=count)
        for name, engine, count in product(names, _as_list(engines), counts)
    ]


def _own_engine(name: str) -> str:
    """The engine of a model if none is named."""
    return FIRST_READABLE_ENGINE if exported_of(name) else "torch"


def _start_all(
    variants: Sequence[Variant], stack: ExitStack, advance: Callable[[], None]
) -> tuple[list[_Timed], list[NotTimed]]:
    """Those that could be loaded, and those that could not. Raises: ImageError, DataError, which
    concern all of them; any ZooError of a single one."""
    timed: list[_Timed] = []
    failures: list[NotTimed] = []
    for variant in variants:
        try:
            timed.append(_start(variant, stack, advance))
        except (ImageError, DataError):
            raise
        except ZooError as error:
            if len(variants) == 1:
                raise
            failures.append(NotTimed.of(variant, error))
    return timed, failures


def _start(variant: Variant, stack: ExitStack, advance: Callable[[], None]) -> _Timed:
    """Starts the process of a variant and loads the model; one after the other, as the start is
    timed."""
    worker = stack.enter_context(Worker(variant))
    worker.load()
    advance()
    return _Timed(worker, variant)


def _warm_up(timed: Sequence[_Timed], batches: Sequence[int], advance: Callable[[], None]) -> None:
    for each, count in product(timed, batches):
        each.warm[count] = each.worker.warm_up(count, calls=WARM_UP_CALLS, seconds=WARM_UP_SECONDS)
        advance()


def _rounds(
    timed: Sequence[_Timed],
    batches: Sequence[int],
    rounds: int,
    seconds: float,
    advance: Callable[[], None],
) -> list[Reference]:
    """Runs all variants in turn, with a different first one each round; returns the runs of the
    reference before, between and after the rounds."""
    reference = [Reference.run()]
    if not timed:
        return reference
    for number in range(rounds):
        first = number % len(timed)
        for each in [*timed[first:], *timed[:first]]:
            for count in batches:
                calls = each.worker.run(count, calls=MAX_CALLS, seconds=seconds)
                each.calls.setdefault(count, []).extend(calls)
                advance()
        reference.append(Reference.run())
    return reference


def _rows(timed: Sequence[_Timed], batches: Sequence[int]) -> list[Row]:
    """A row for each variant and batch size. Models that share a name, such as a run and the file
    exported from it, are named as the caller named them."""
    facts = [each.worker.facts() for each in timed]
    names = {
        (each.variant.model, facts_of_model.name)
        for each, facts_of_model in zip(timed, facts, strict=True)
    }
    shared = Counter(name for _, name in names)
    rows = []
    for each, facts_of_model in zip(timed, facts, strict=True):
        if shared[facts_of_model.name] > 1:
            facts_of_model = structs.replace(facts_of_model, name=each.variant.model)
        engine = each.variant.engine or "torch"
        for count in batches:
            rows.append(
                Row.of(
                    each.calls[count],
                    facts_of_model,
                    requested=facts_of_model.engine.partition(" ")[0]
                    if engine == FIRST_READABLE_ENGINE
                    else engine,
                    batch=count,
                    start=each.worker.started or 0.0,
                    warm=each.warm[count],
                )
            )
    return rows


def _benchmark(
    rows: Sequence[Row],
    failures: Sequence[NotTimed],
    rounds: int,
    variant: Variant,
    reference: Sequence[Reference],
) -> Benchmark:
    from zoo.evaluate.predictions.provenance import hardware, software

    images = f"{len(variant.images)} files" if variant.images else variant.data or SCENES
    return Benchmark(
        rows=tuple(rows),
        failures=tuple(failures),
        rounds=rounds,
        images=images,
        hardware=hardware(),
        software=software(),
        steadiness=Steadiness.of(reference),
    )


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _files(images: object) -> list[str]:
    """The paths of the images. Raises: ImageError if a file does not exist."""
    if images is None:
        return []
    from zoo.images import expand  # deferred: it imports torch, which only workers need

    paths = [str(path) for each in _as_list(images) for path in expand(each)][:IMAGES]  # type: ignore[arg-type]
    for path in paths:
        if not Path(path).is_file():
            case = f"Models can't be timed on the image '{path}'."
            fix = "Name files, folders or globs of images."
            raise ImageError(case, "There is no such file.", fix, file=path)
    return paths


def _numbers(name: str, values: int | Sequence[int]) -> list[int]:
    """The numbers without duplicates. Raises: UsageError."""
    numbers: list[int] = []
    for number in _as_list(values):
        count = count_of(number)
        if count is None or count > MAX_COUNT:
            raise _unusable(
                name, number, f"It is a number from 1 to {MAX_COUNT}.", f"{name}=[1, 8]"
            )
        numbers.append(count)
    return list(dict.fromkeys(numbers))


def _check_options(variants: Sequence[Variant], rounds: int, seconds: float, *, both: bool) -> None:
    """Raises: UsageError for options with impossible values."""
    if not variants:
        case = "No model or no engine was named."
        raise UsageError("Nothing can be timed.", case, "zoo benchmark yolox_pico")
    if both:
        case = "Both name the images to time on."
        raise UsageError("images and data were given.", case, "Leave one of them out.")
    if (count_of(rounds) or MAX_COUNT + 1) > MAX_COUNT:
        raise _unusable("rounds", rounds, f"It is a number from 1 to {MAX_COUNT}.", "rounds=5")
    if not isinstance(seconds, int | float) or not 0 < seconds <= MAX_COUNT:
        raise _unusable("seconds", seconds, "It is a time above 0.", "seconds=1")
    names = [(variant.model, variant.engine, variant.threads) for variant in variants]
    if repeated := [name for name in names if names.count(name) > 1]:
        case = "Two rows would be the same."
        raise UsageError(f"'{repeated[0][0]}' is to be timed twice.", case, "Name it once.")


def _unusable(name: str, value: object, case: str, example: str) -> UsageError:
    shell = (
        f"--{name.removesuffix('es') if name == 'batches' else name} {example.partition('=')[2]}"
    )
    shell = shell.replace("[", "").replace("]", "").replace(", ", ",")
    return UsageError(
        f"{name}={value!r:.60} can't be used.",
        case,
        f"Write for example {example}.",
        fix_cli=f"Write for example {shell}",
    )
