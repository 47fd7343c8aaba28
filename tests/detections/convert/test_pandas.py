import pandas as pd

from zoo import labels
from zoo.detections import Detections


def test_a_table_has_a_row_a_detection(street: Detections) -> None:
    table = street.to_pandas()
    assert list(table.columns) == ["source", "x1", "y1", "x2", "y2", "score", "label", "name"]
    assert table["name"].tolist() == ["car", "person", "dog"]
    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == street.boxes.tolist()
    assert table["score"].tolist() == street.scores.tolist()
    assert set(table["source"]) == {"street.jpg"}


def test_tables_can_be_put_together(street: Detections) -> None:
    both = pd.concat([street.to_pandas(), Detections.empty(labels.get("voc20")).to_pandas()])
    assert both.dtypes.to_dict() == street.to_pandas().dtypes.to_dict()
    assert len(both) == 3
