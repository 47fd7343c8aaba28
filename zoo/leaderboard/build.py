"""From a board to a leaderboard: runs what is missing, checks everything, and writes the page,
Markdown and JSON.

    site/index.html  leaderboard.json  leaderboard.md  entries/MODEL-at-DATA.json

An entry is written as soon as it is there, and is taken as it is where everything it depends on is
the same; what a model saw is kept by `zoo.evaluate.predict`. So a build that was cut short goes on
where it was, and one that is done is done again in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zoo import __version__
from zoo.cluster import Cluster
from zoo.cluster.cluster import open_cluster
from zoo.data import Dataset
from zoo.data import read as read_data
from zoo.data.source import relative_to
from zoo.errors import DataError, ZooError
from zoo.evaluate import CocoSettings, EdgeCasePolicy
from zoo.evaluate.evaluate import evaluate
from zoo.evaluate.predictions.prediction_store import folder as runs_folder
from zoo.folder_lock import FolderHeld, hold_folder
from zoo.leaderboard.board import Board, Row
from zoo.leaderboard.checks import Expected, check, disqualifying
from zoo.leaderboard.disagreement import ModelDetections, disagreements
from zoo.leaderboard.entry import RANDOM, Entry, Timing, file_name, store
from zoo.leaderboard.entry_files import check_inside, matching_files
from zoo.leaderboard.markdown import markdown
from zoo.leaderboard.site import page, to_json
from zoo.leaderboard.source import (
    Source,
    check_code,
    describe,
    fingerprint,
    labels_of,
    model_of,
    source_of,
    weights_of,
)
from zoo.leaderboard.table import Failure, Leaderboard, table_of
from zoo.leaderboard.timing import Request, time_model
from zoo.registry import add, catalogue
from zoo.timing.timed import IMAGES
from zoo.weights.resolve import resolve_name

KEY_FACT = "entry_sha256"

Say = Callable[[str], None]


@dataclass
class _Build:
    """A build under way.

    folder: the board's, which its paths are relative to. to: where the page goes. runs: where
        predictions are kept.
    fresh:  whether everything is made again. found: what each model saw in each data set, by both
        names.
    """

    board: Board
    folder: Path
    to: Path
    runs: Path
    say: Say
    fresh: bool = False
    entries: list[Entry] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    found: dict[tuple[str, str], ModelDetections] = field(default_factory=dict)
    cluster: Cluster | None = None

    @property
    def registry(self) -> list[str]:
        """The registry files of the board."""
        return [str(self.folder / path) for path in self.board.registry]

    def fail(self, name: str, data: str | None, error: Exception) -> None:
        """Records a row that failed."""
        self.failures.append(Failure(name, data, " ".join(str(error).split())))


def build(
    path: str | Path,
    *,
    to: str | Path,
    runs: str | Path | None = None,
    fresh: bool = False,
    say: Say | None = None,
    cluster: str | Cluster | None = None,
) -> Leaderboard:
    """The leaderboard of a board file, written to the folder `to`.

    runs: where predictions are kept; else `$ZOO_HOME/runs`. say: told what is being done.
    fresh: run, measure and time everything again, whatever is kept.
    cluster: where models look at images, as `zoo.evaluate.predict` takes it; everything else, the
        timing too, is done in this process.
    A model that can't be measured, or an entry that can't be read, is in `failures`, and the rest
    goes on.
    Raises: DataError where the board or a data set of it is wrong, or `to` can't be written or
        another process builds in it.
    """
    board = Board.read(path)
    with _hold(Path(to)):
        return _build(board, path, to, runs, fresh, say, cluster)


def _build(
    board: Board,
    path: str | Path,
    to: str | Path,
    runs: str | Path | None,
    fresh: bool,
    say: Say | None,
    cluster: str | Cluster | None,
) -> Leaderboard:
    work = _Build(
        board,
        Path(path).parent,
        Path(to),
        Path(runs) if runs else runs_folder(),
        say or (lambda _: None),
        fresh,
    )
    for file in work.registry:
        add(file)
    datasets = {
        name: _rename(read_data(relative_to(text, work.folder)), name)
        for name, text in board.data.items()
    }
    rows = [row.on(list(datasets)) for row in board.rows if _has_model(work, row)]
    with open_cluster(cluster) as work.cluster:
        for name, dataset in datasets.items():
            for row in rows:
                if name in row:
                    _measure(work, row[name], name, dataset)
    _take_in_others(work)
    leaderboard = _leaderboard(work, datasets)
    store(work.to / "leaderboard.json", to_json(leaderboard))
    store(work.to / "leaderboard.md", markdown(leaderboard).encode())
    store(work.to / "index.html", page(leaderboard).encode())
    return leaderboard


@contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Holds the folder of the page, before anything is measured for it. Raises: DataError."""
    failure = f"A page can't be written to {folder}."
    with ExitStack() as held:
        try:
            held.enter_context(hold_folder(folder))
        except FolderHeld as error:
            fix = "Wait until it ends, or name another folder with --to."
            raise DataError(failure, f"{error}, builds in it.", fix) from None
        except OSError as error:
            case = f"That is not a folder that can be made and written: {error.strerror}."
            raise DataError(failure, case, "Name a folder with --to.") from None
        yield


def _has_model(work: _Build, row: Row) -> bool:
    """Whether there is such a model; where there is none, that is said before hours go by."""
    try:
        resolve_name(catalogue(), model_of(row, work.folder))
    except ZooError as error:
        work.fail(row.title, None, error)
        work.say(f"Not measured: {work.failures[-1]}")
        return False
    return True


def _measure(work: _Build, row: Row, name: str, dataset: Dataset) -> None:
    """One model on one data set, as an entry; a failure stays the row's own."""
    work.say(f"{row.title} on {name}")
    try:
        source = source_of(
            row,
            dataset,
            work.board,
            folder=work.folder,
            to=work.runs,
            fresh=work.fresh,
            cluster=work.cluster,
        )
        entry = _entry(work, row, name, dataset, source)
    except (ZooError, OSError) as error:
        return work.fail(row.title, name, error)
    work.entries.append(entry)
    if entry.model.weights.source == RANDOM:
        return  # it disagrees with every other model everywhere, as expected
    point = entry.report.analyses.operating if entry.report.analyses else None
    work.found[row.title, name] = ModelDetections(
        row.title, source.images, point.score if point else 0.5
    )


def _entry(work: _Build, row: Row, name: str, dataset: Dataset, source: Source) -> Entry:
    """The entry that is there already, or a new one, which is stored."""
    key = fingerprint(row, source, dataset, work.board)
    path = work.to / "entries" / file_name(row.title, name)
    stored = None if work.fresh else _stored_entry(path)
    if stored is not None and (stored.report.provenance or {}).get(KEY_FACT) == key:
        return stored
    report = evaluate(source.detections, data=dataset, resamples=work.board.resamples)
    model = describe(row, source, folder=work.folder)
    timing = _timing(work, row, name, dataset, source)
    check_code(row, source)
    facts = {
        "weights_source": model.weights.source,
        **source.facts,  # kept predictions may be older than the annotations
        "data": name,
        "data_sha256": dataset.sha256,
        KEY_FACT: key,
    }
    entry = Entry(
        model=model,
        data=name,
        protocol=source.protocol,
        report=report.with_provenance(facts),
        timing=timing,
    )
    return entry.write(path)


def _timing(work: _Build, row: Row, name: str, dataset: Dataset, source: Source) -> Timing | None:
    """None for detections that were there already, and where a board wants none."""
    if not work.board.timing or row.predictions is not None:
        return None
    work.say("  latency, memory, operations")
    thresholds = {name: source.protocol.get(name) for name in ("score", "iou", "max_boxes")}
    return time_model(
        Request(
            model=model_of(row, work.folder),
            weights=weights_of(row, work.folder),
            labels=labels_of(row, source.choice, dataset),
            engine=row.engine,
            **_looked_at(dataset, work.board.data[name], work.folder),
            registry=work.registry,
            runs=work.board.runs,
            exif=work.board.exif,
            **thresholds,  # type: ignore[arg-type]  # a protocol's own settings
        )
    )


def _looked_at(dataset: Dataset, text: str, folder: Path) -> dict[str, Any]:
    """The images that a model is timed on: files, or the data set where they are in memory."""
    records = dataset.images[:IMAGES]
    if any(record.content is not None for record in records):
        return {"data": relative_to(text, folder)}
    return {"images": [str(record.file()) for record in records]}


def _stored_entry(path: Path) -> Entry | None:
    """The entry of an earlier build; None where there is none, or somebody has changed it since."""
    try:
        stored = Entry.read(path) if path.exists() else None
    except DataError:
        return None
    return stored if stored is not None and stored.seal == stored.computed_seal() else None


def _take_in_others(work: _Build) -> None:
    """Entries that the board names, each as a row of its own."""
    for pattern in work.board.entries:
        folder, paths = matching_files(work.folder, pattern)
        if not paths:
            work.fail(
                pattern,
                None,
                DataError("", "There is no such entry file.", "Correct the path in `entries`."),
            )
        for path in paths:
            try:
                check_inside(path, folder)
                entry = Entry.read(path)
            except DataError as error:
                work.fail(path.name, None, error)
                continue
            if any((other.name, other.data) == (entry.name, entry.data) for other in work.entries):
                again = DataError(
                    f"{path.name} was read.",
                    "There is a row of that name already.",
                    "Rename one of the two.",
                )
                work.fail(entry.name, entry.data, again)
                continue
            work.entries.append(entry)
            store(work.to / "entries" / file_name(entry.name, entry.data), path.read_bytes())


def _leaderboard(work: _Build, datasets: Mapping[str, Dataset]) -> Leaderboard:
    settings = work.board.settings.settings
    expected = Expected(
        settings,
        {name: dataset.sha256 for name, dataset in datasets.items()},
        CocoSettings(),
        EdgeCasePolicy(),
        {name: dataset.notes for name, dataset in datasets.items()},
    )
    findings = check(work.entries, expected=expected)
    out = {(finding.entry, finding.data) for finding in findings if disqualifying(finding)}
    tables = []
    for name, dataset in datasets.items():
        entries = [
            entry for entry in work.entries if entry.data == name and (entry.name, name) not in out
        ]
        detections = [
            work.found[entry.name, name] for entry in entries if (entry.name, name) in work.found
        ]
        shown = disagreements(
            dataset.truth,
            dataset.images,
            detections,
            most=work.board.examples,
            exif=work.board.exif,
        )
        if entries:
            tables.append(table_of(name, entries, findings, examples=shown))
    return Leaderboard(
        title=work.board.title,
        summary=work.board.summary,
        protocol=work.board.protocol,
        settings=settings,
        made=datetime.now(UTC).date().isoformat(),
        version=__version__,
        tables=tuple(tables),
        findings=tuple(findings),
        left_out=tuple(f"{name} on {data}" for name, data in sorted(out)),
        failures=tuple(work.failures),
    )


def _rename(dataset: Dataset, name: str) -> Dataset:
    """The data set, called as the board calls it."""
    return replace(dataset, name=name, truth=replace(dataset.truth, name=name))
