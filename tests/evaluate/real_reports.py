"""The reports of a real detector on real annotations, for the tests of reports."""

from pathlib import Path

from zoo.evaluate import Evaluator
from zoo.evaluate.coco_files import read, read_results


def real_evaluator(shared: Path, *, lost: int = 0) -> Evaluator:
    """YOLOX-Nano on 128 images. lost: so many of its best detections are missing in every image."""
    made = Evaluator(read(shared / "coco_val2017_128/instances.json"))
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", made.dataset)
    left = [{column: values[lost:] for column, values in one.items()} for one in found]
    made.update(ids, left, box_format="xywh")
    return made
