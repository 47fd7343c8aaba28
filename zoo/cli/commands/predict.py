"""`zoo predict`: runs models on a data set, and stores predictions as Parquet with provenance.

With `--json`, a list with one object per model: model, file, images, detections, provenance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import output
from zoo.cli.evaluate_options import (
    Data,
    Fresh,
    Labels,
    OnCluster,
    ProtocolName,
    ProtocolOption,
    To,
    Turn,
    each,
    protocol_of,
)
from zoo.cli.options import BatchSize, Device, Engine, Weights, batch_size_of, labels_of, weights_of
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.evaluate import Predictions


def predict(  # noqa: PLR0913 - one parameter an option
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Names that zoo list shows.", show_default=False),
    ],
    data: Data,
    to: To = None,
    protocol: ProtocolOption = ProtocolName.uniform,
    weights: Weights = None,
    labels: Labels = None,
    device: Device = None,
    engine: Engine = None,
    batch_size: BatchSize = None,
    exif: Turn = None,
    fresh: Fresh = False,
    cluster: OnCluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Run models on a data set, and keep what they see with its provenance.

    A run that was cut short goes on where it was, and one that is there is not made again. One
    model's error does not stop the others: the exit code is 1 then, or that of the errors where all
    failed in the same way.
    """
    from zoo.cluster.cluster import open_cluster
    from zoo.data import read  # deferred: it imports numpy, which help does not need

    options: dict[str, Any] = {
        "data": read(data),
        "protocol": protocol_of(protocol, exif),
        "to": to,
        "weights": weights_of(weights),
        "labels": None if labels is None else labels_of(labels),
        "device": device,
        "engine": engine,
        "batch_size": batch_size_of(batch_size),
        "fresh": fresh,
    }
    with open_cluster(cluster) as machines:
        options["cluster"] = machines
        done, code = each(models, partial(_predict, options, quiet=as_json))
    if as_json:
        output.document(json.dumps(list(map(_object, done.values())), indent=2))
    raise typer.Exit(code)


def _predict(options: Mapping[str, Any], model: str, *, quiet: bool) -> Predictions:
    from zoo.evaluate import predict as run

    predictions = run(model, **options)
    if not quiet:
        output.line(_line(predictions))
    return predictions


def _line(predictions: Predictions) -> str:
    images = pluralize(len(predictions), "image")
    detections = pluralize(len(predictions.scores), "detection")
    return f"{predictions.provenance['model']}  {images}  {detections}  {predictions.path}"


def _object(predictions: Predictions) -> dict[str, object]:
    return {
        "model": predictions.provenance["model"],
        "file": str(predictions.path),
        "images": len(predictions),
        "detections": len(predictions.scores),
        "provenance": predictions.provenance,
    }
