"""Parquet files as the package `datasets` writes them when a data set is pushed to the Hub."""

import io
import warnings
from typing import Any

from zoo.data import Dataset

Shards = dict[str, bytes]


def features(names: tuple[str, ...], **others: Any) -> Any:
    """The columns of cppe-5, the Hub's own example of a detection data set."""
    import datasets

    return datasets.Features(
        {
            "image_id": datasets.Value("string"),
            "image": datasets.Image(),
            "width": datasets.Value("int32"),
            "height": datasets.Value("int32"),
            "objects": {
                "id": datasets.List(datasets.Value("int64")),
                "bbox": datasets.List(datasets.List(datasets.Value("float32"), length=4)),
                "category": datasets.List(datasets.ClassLabel(names=list(names))),
            },
        }
        | others
    )


def rows(data: Dataset) -> list[dict[str, Any]]:
    """The rows of a data set, boxes as x, y, width, height."""
    found = []
    for row, record in enumerate(data.images):
        boxes = data.truth.rows(row)
        found.append(
            {
                "image_id": record.id,
                "image": {"bytes": record.file().read_bytes(), "path": record.path.name},
                "width": record.width,
                "height": record.height,
                "objects": {
                    "id": data.truth.ids[boxes].tolist(),
                    "bbox": data.truth.xywh[boxes].tolist(),
                    "category": data.truth.labels[boxes].tolist(),
                },
            }
        )
    return found


def shard(given: list[dict[str, Any]], columns: Any) -> bytes:
    """One file of these rows."""
    import datasets

    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets.disable_progress_bars()
        datasets.Dataset.from_list(given, features=columns).to_parquet(stream)
    return stream.getvalue()


def shards_of(data: Dataset) -> Shards:
    """A file of each split, by its name on the Hub."""
    columns = features(data.label_space.names)
    return {
        f"data/{split}-00000-of-00001.parquet": shard(rows(part), columns)
        for split, part in data.splits.items()
    }
