"""Detections as a pandas table: one row per detection, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.extras import optional

if TYPE_CHECKING:
    import pandas

    from zoo.detections.detections import Detections


def write(detections: Detections) -> pandas.DataFrame:
    """Columns source, x1, y1, x2, y2, score, label, name; tables of several images can be
    concatenated.

    Raises: MissingExtra where pandas is not installed.
    """
    pd = optional("pandas", wanted_for="Detections.to_pandas()")
    x1, y1, x2, y2 = detections.boxes.cpu().numpy().T
    corners = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    rest = {"score": detections.scores.cpu().numpy(), "label": detections.labels.cpu().numpy()}
    name = pd.Series(detections.class_names, dtype="object")
    source = pd.Series([detections.source] * len(detections), dtype="object")
    table: pandas.DataFrame = pd.DataFrame({"source": source, **corners, **rest, "name": name})
    return table
