"""From a model and a data set to predictions: what is there is read, what is missing is looked at, and nothing twice."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo import data as data_sets
from zoo.data import Dataset
from zoo.errors import DataError, LabelError, UsageError
from zoo.evaluate.parquet import arrow
from zoo.evaluate.predictions import Predictions
from zoo.evaluate.provenance import hardware, now, software
from zoo.evaluate.run import Run, file_of, folder, locked
from zoo.evaluate.sizes import compare_sizes
from zoo.evaluate.subject import Subject, subject
from zoo.labels import LabelSpace, meet
from zoo.words import kind

if TYPE_CHECKING:
    import torch

    from zoo.detectors import Detector, Protocol

_FIRST = 16  # pictures whose sizes tell whether they are the ones that were annotated, before a long run


def predict(
    model: str | Detector,
    *,
    data: str | os.PathLike[str] | Dataset,
    protocol: str | Protocol = "uniform",
    weights: bool | str | os.PathLike[str] = True,
    device: torch.device | str | None = None,
    batch_size: int | Literal["auto"] = "auto",
    to: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Predictions:
    """What a model sees in every picture of a data set, under a protocol.

    model, weights, device: as `zoo.load` takes them; or a detector, which keeps its own.
    data:     as `zoo.data.read` takes it.
    protocol: "uniform" for comparing models, "native" for the family's own thresholds, or one of your own.
    to:       the folder of the run; else `$ZOO_HOME/runs`. A run that is there is not made again, one that was cut short is
              resumed. A detector at hand is run anew each time unless a folder is given: its code may have changed.
    Raises:
        DataError: the data set is wrong, most of its first pictures have another size than is annotated, or another process is
            making these predictions.
        UsageError: an option can't be, or decides nothing because a detector at hand has its own.
        LabelError: the model knows none of the data set's classes.
        ImageError: a picture can't be read; what was seen in those before it stays.
        MissingExtra: pyarrow is not installed.
    """
    arrow()  # before anything that takes long
    asked = protocol_of(protocol)
    _check_batch_size(batch_size)
    dataset = data_sets.read(data)
    who = subject(model, weights=weights, device=device, progress=progress)
    facts = who.facts | _facts(dataset, asked)
    if to is None and not who.fixed:
        with tempfile.TemporaryDirectory(prefix="zoo-run-") as passing:
            return replace(_run(who, dataset, asked, facts, Path(passing), batch_size, progress), path=None)
    return _run(who, dataset, asked, facts, folder() if to is None else Path(to).expanduser(), batch_size, progress)


def _run(
    who: Subject,
    dataset: Dataset,
    protocol: Protocol,
    facts: dict[str, str],
    to: Path,
    batch_size: int | Literal["auto"],
    progress: bool | None,
) -> Predictions:
    file = file_of(facts, to)
    if file.exists():
        return Predictions.read(file)
    if not len(dataset):
        raise DataError(f"'{who.name}' was to be run on {dataset.name}.", "It has no image.", "Name a data set with images.")
    with locked(Run(file, facts)) as run:
        if file.exists():  # another process has finished it in the meantime
            return Predictions.read(file)
        run.resume({photo.id for photo in dataset.images})
        _look(who, dataset, protocol, run, batch_size, progress)
        return run.finish([photo.id for photo in dataset.images])


def _look(
    who: Subject, dataset: Dataset, protocol: Protocol, run: Run, batch_size: int | Literal["auto"], progress: bool | None
) -> None:
    """Shows the model every picture that is not in the run yet."""
    done = run.done()
    todo = [photo for photo in dataset.images if photo.id not in done]
    if not todo:
        return
    from zoo.detectors.progress import Bar  # deferred: torch, which a run that is done already needs not
    from zoo.detectors.stream import stream

    detector = who.load()
    check_classes(detector.space, dataset, model=who.name)
    run.names = detector.space.names
    run.facts |= hardware(detector.device) | {"settings_in_force": protocol.over(detector.native).to_json(), "started": now()}
    pictures = [photo.path for photo in todo]
    with Bar(f"{who.name} on {dataset.name}", total=len(todo), show=progress) as bar:
        found = stream(detector, pictures, protocol=protocol, batch_size=batch_size, exif=protocol.exif)
        looked: list[tuple[int | str, tuple[int, int]]] = []
        for photo, seen in zip(todo, found, strict=True):
            run.add(photo, seen)
            if len(looked) < _FIRST and seen.size is not None:
                looked.append((photo.id, seen.size))
                if len(looked) == min(_FIRST, len(todo)):
                    compare_sizes(looked, dataset, model=who.name)
            bar.advance()


def check_classes(space: LabelSpace, dataset: Dataset, *, model: str) -> tuple[str, ...]:
    """The data set's classes that the model does not know. Raises: LabelError where it knows none."""
    meeting = meet(space, dataset.space)
    if not meeting.pairs:
        raise LabelError(
            f"'{model}' was to be measured on {dataset.name}.",
            f"It knows none of the data set's classes ({', '.join(dataset.space.names[:5])} …): its own are "
            f"{', '.join(space.names[:5])} ….",
            "Choose a model for these classes: zoo list",
        )
    return meeting.data_only


def protocol_of(protocol: str | Protocol) -> Protocol:
    """The protocol of that name, or itself. Raises: NameNotFound; UsageError for what is no protocol."""
    from zoo.detectors import Protocol  # deferred: torch

    if not isinstance(protocol, str | Protocol):
        fix = "Pass 'uniform', 'native', or a zoo.Protocol."
        raise UsageError(f"protocol={protocol!r} was asked for.", f"That is {kind(protocol)}, no protocol.", fix)
    return Protocol.named(protocol) if isinstance(protocol, str) else protocol


def _check_batch_size(batch_size: object) -> None:
    if batch_size != "auto" and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        case = "It is a number of pictures, at least 1, or 'auto' for what fits."
        fix = "Write batch_size=8, for example."
        raise UsageError(f"batch_size={batch_size!r} was asked for.", case, fix, fix_cli="Write --batch-size 8, for example.")


def _facts(dataset: Dataset, protocol: Protocol) -> dict[str, str]:
    return {
        "data": dataset.name,
        "data_sha256": dataset.sha256,
        "pictures_sha256": dataset.pictures_sha256,
        "protocol": protocol.name,
        "protocol_sha256": protocol.sha256,
        "protocol_settings": protocol.to_json(),
        **software(),
    }
