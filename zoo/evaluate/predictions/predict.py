"""From a model and a data set to predictions: what is there is read, what is missing is looked at,
and nothing twice."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo import data as data_sets
from zoo.cluster import Cluster
from zoo.cluster.cluster import open_cluster
from zoo.counts import count_of
from zoo.data import Dataset
from zoo.environment import expand_home
from zoo.errors import DataError, UsageError
from zoo.evaluate.diagnostics.class_names import missing_classes
from zoo.evaluate.diagnostics.image_sizes import size_notes
from zoo.evaluate.predictions.model_identity import ModelIdentity, model_identity
from zoo.evaluate.predictions.parquet import arrow
from zoo.evaluate.predictions.prediction_store import (
    PASSING,
    PredictionStore,
    clear_finished,
    clear_passing,
    file_of,
    folder,
    locked,
)
from zoo.evaluate.predictions.predictions import Predictions
from zoo.evaluate.predictions.provenance import now, software
from zoo.evaluate.predictions.run_model import ModelRun, RunRequest, in_process
from zoo.labels.builtin import Labels
from zoo.text import is_are, pluralize, type_name
from zoo.weights import Resolved

if TYPE_CHECKING:
    import torch

    from zoo.contract import Predictor, Protocol

# Images whose sizes tell, before a long run, whether they are the ones that were annotated.
_SIZES_COMPARED = 16


def predict(  # noqa: PLR0913 - everything that can be said of a run in one place
    model: str | Predictor | Resolved,
    *,
    data: str | os.PathLike[str] | Dataset,
    protocol: str | Protocol = "uniform",
    weights: bool | str | os.PathLike[str] = True,
    labels: Labels | None = None,
    device: torch.device | str | None = None,
    engine: str | None = None,
    batch_size: int | Literal["auto"] = "auto",
    to: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    progress: bool | None = None,
    cluster: str | Cluster | None = None,
) -> Predictions:
    """Runs a model on every image of a data set, under a protocol.

    model, weights, labels, device, engine: as `zoo.load` takes them; or a `zoo.contract.Predictor`,
              which keeps its own, or a resolved model, which keeps its weights. One that is told
              its classes is told those of the data set, unless `labels` names others.
    data:     as `zoo.data.read` takes it.
    protocol: "uniform" to compare models, "native" for the family's thresholds, or another.
    to:       the folder of the run; else `$ZOO_HOME/runs`. A finished run is reused, an interrupted
              one resumed: runs are known by the content of images, weights and code. A loaded
              detector is run each time unless a folder is given.
    fresh:    make the run again, whatever is there.
    cluster:  where the model runs: "local", "ray://HOST:PORT" (see `zoo.cluster`), or this process.
    Raises:
        DataError: the data set is wrong, most of its first images have another size than annotated,
            another process makes these predictions, or an image changes meanwhile.
        UsageError: an option can't be, or decides nothing because a detector at hand has its own;
            code has changed since it was imported.
        LabelError: the model knows none of the data set's classes, or `labels` can't be.
        ImageError: an image can't be read; what was found before stays for a run on the same.
        MissingExtra: pyarrow, or Ray for a cluster, is not installed.
        ClusterError: the cluster can't be reached or used.
    """
    arrow()  # before anything that takes long
    requested = _check_settings(protocol_of(protocol))
    batch_size = _batch_size(batch_size)
    options: dict[str, Any] = {"weights": weights, "labels": labels, "device": device}
    options |= {"engine": _engine_of(requested, engine), "progress": progress}
    running: dict[str, Any] = {"batch_size": batch_size, "fresh": fresh, "progress": progress}
    with open_cluster(cluster) as machines:
        dataset = data_sets.read(data)
        identity = model_identity(model, classes=dataset.label_space.names, **options)
        work = _work(identity, dataset, requested, device=device, cluster=machines, **running)
        if to is None and not identity.fixed:
            return _run_passing(replace(work, stays=False))
        return _run(work, folder() if to is None else expand_home(to))


def _work(identity: ModelIdentity, dataset: Dataset, protocol: Protocol, **options: Any) -> _Work:
    """The work on one model, with what is known before of its provenance."""
    with_engine = replace(protocol, engine=identity.engine)
    facts = identity.facts | _facts(dataset, with_engine)
    return _Work(identity, dataset, with_engine, facts, **options)


@dataclass(frozen=True)
class _Work:
    """A model to be run on a data set, and how.

    facts: the provenance that is known before. stays: whether the run is kept if it is cut short.
    """

    identity: ModelIdentity
    dataset: Dataset
    protocol: Protocol
    facts: dict[str, str]
    batch_size: int | Literal["auto"]
    fresh: bool
    progress: bool | None
    device: torch.device | str | None
    cluster: Cluster | None
    stays: bool = True


@contextmanager
def _note_progress(work: _Work, run: PredictionStore) -> Iterator[None]:
    """Adds to an interrupt how many images are kept, and how to go on with the others."""
    try:
        yield
    except KeyboardInterrupt as error:
        run.flush()
        if work.stays and (count := len(run.done())):
            error.add_note(
                f"{work.identity.name} on {work.dataset.name}: {pluralize(count, 'image')} of "
                f"{len(work.dataset)} {is_are(count)} kept in {run.parts}. The same command"
                f"{' without fresh' if work.fresh else ''} goes on from there."
            )
        raise


def _run_passing(work: _Work) -> Predictions:
    """A run that is not kept."""
    clear_passing()
    with tempfile.TemporaryDirectory(prefix=PASSING) as folder:
        return replace(_run(work, Path(folder)), path=None)


def _run(work: _Work, to: Path) -> Predictions:
    file, dataset = file_of(work.facts, to), work.dataset
    clear_finished(to)
    if file.exists() and not work.fresh:
        return Predictions.read(file)
    if not len(dataset):
        raise DataError(
            f"'{work.identity.name}' can't be run on {dataset.name}.",
            "It has no image.",
            "Name a data set with images.",
        )
    with locked(PredictionStore(file, work.facts)) as run, _note_progress(work, run):
        if file.exists() and not work.fresh:  # another process has finished it in the meantime
            return Predictions.read(file)
        if work.fresh:
            run.discard()
        run.resume({record.id for record in dataset.images})
        size_notes(
            run.sizes(), dataset, model=work.identity.name, stored=work.protocol.exif == "ignore"
        )
        _look(work, run)
        _check_unchanged(dataset, run)
        return run.finish([record.id for record in dataset.images])


def _check_unchanged(dataset: Dataset, run: PredictionStore) -> None:
    """Raises: DataError where an image has another content than when the run began; the run's parts
    are gone then."""
    if dataset.images_sha256 != run.facts["images_sha256"]:
        run.discard()
        raise DataError(
            f"{run.facts['model']} was run on {dataset.name}.",
            "An image has changed while the run was under way, so nobody knows which of the two "
            "was looked at.",
            "Run it again once the images stay as they are.",
        )


def _look(work: _Work, run: PredictionStore) -> None:
    """Shows the model every image that is not in the run yet."""
    identity, dataset, protocol = work.identity, work.dataset, work.protocol
    done = run.done()
    todo = len(dataset) - len(done)
    if not todo:
        return
    from zoo.progress import Bar

    device = None if work.device is None else str(work.device)
    request = RunRequest(identity, dataset, protocol, work.batch_size, device, frozenset(done))
    with (
        _model_run(request, work.cluster) as model_run,
        Bar(f"{identity.name} on {dataset.name}", total=todo, show=work.progress) as bar,
    ):
        missing_classes(
            model_run.label_space, dataset, model=identity.name
        )  # raises if it has none
        run.names = model_run.label_space.names
        run.facts |= model_run.facts | {
            "settings_in_force": protocol.filled(model_run.defaults).to_json(),
            "started": now(),
        }
        looked: list[tuple[int | str, tuple[int, int]]] = []
        for record, detections, facts in model_run.outputs:
            run.note(facts)
            run.add(record, detections)
            if len(looked) < _SIZES_COMPARED and detections.size is not None:
                looked.append((record.id, detections.size))
                if len(looked) == min(_SIZES_COMPARED, todo):
                    size_notes(
                        looked, dataset, model=identity.name, stored=protocol.exif == "ignore"
                    )
            bar.advance()


def _model_run(request: RunRequest, cluster: Cluster | None) -> AbstractContextManager[ModelRun]:
    """The model at work, here or on a cluster."""
    if cluster is None:
        return in_process(request)
    from zoo.evaluate.predictions.on_cluster import on_cluster  # deferred: torch

    return on_cluster(request, cluster)


def protocol_of(protocol: str | Protocol) -> Protocol:
    """The protocol of that name, or itself. Raises: NameNotFound; UsageError for what is no
    protocol."""
    from zoo.detectors import Protocol  # deferred: torch

    if not isinstance(protocol, str | Protocol):
        fix = "Pass 'uniform', 'native', or a zoo.Protocol."
        raise UsageError(
            f"protocol={protocol!r} can't be used.",
            f"That is {type_name(protocol)}, no protocol.",
            fix,
        )
    return Protocol.named(protocol) if isinstance(protocol, str) else protocol


def _check_settings(protocol: Protocol) -> Protocol:
    """Refuses settings that a detector in torch does not follow: its numbers would not be theirs.

    Raises: UsageError.
    """
    settings = [name for name in ("wrapper", "prompts") if getattr(protocol, name)]
    if settings:
        raise UsageError(
            f"A model can't be run under a protocol with {' and '.join(settings)}.",
            "It is run as its family runs it, in torch.",
            f"Leave {' and '.join(settings)} out; they describe predictions made elsewhere.",
        )
    return protocol


def _engine_of(protocol: Protocol, engine: str | None) -> str | None:
    """The engine that is asked for. Raises: UsageError where the protocol names another."""
    if engine is None or protocol.engine in (None, engine):
        return engine or protocol.engine
    raise UsageError(
        f"A model can't be run by the engine {engine}.",
        f"The protocol names another: {protocol.engine}.",
        "Leave one of them out.",
    )


def _batch_size(value: object) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    count = count_of(value)
    if count is None:
        raise UsageError(
            f"batch_size={value!r} can't be used.",
            "It is a number of images, at least 1, or 'auto' for what fits.",
            "Write batch_size=8, for example.",
            fix_cli="Write --batch-size 8, for example.",
        )
    return count


def _facts(dataset: Dataset, protocol: Protocol) -> dict[str, str]:
    return {
        "data": dataset.name,
        "data_sha256": dataset.sha256,
        "images_sha256": dataset.images_sha256,
        "protocol": protocol.name,
        "protocol_sha256": protocol.sha256,
        "protocol_settings": protocol.to_json(),
        **software(),
    }
