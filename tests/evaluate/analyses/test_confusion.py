"""Which classes are taken for which: each box and each detection is counted once."""

import numpy as np

from tests.evaluate.analyses.reported import EVERY_MISTAKE, reported
from zoo.evaluate import Evaluator
from zoo.evaluate.coco_files import read, read_results


def test_the_confusion_names_what_is_taken_for_what() -> None:
    analyses = reported(EVERY_MISTAKE).analyses
    assert analyses is not None
    assert analyses.operating is not None
    assert analyses.confusion is not None
    assert analyses.operating.score == 0.95
    assert set(analyses.confusion.cells) == {("cat", "cat", 1), ("cat", None, 1), ("dog", None, 2)}


def test_every_box_and_every_kept_detection_is_in_the_confusion_once(shared) -> None:
    truth = read(shared / "coco_val2017_128/instances.json")
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", truth)
    evaluator = Evaluator(truth)
    evaluator.update(ids, found, box_format="xywh")
    analyses = evaluator.compute(resamples=0).analyses
    assert analyses is not None
    assert analyses.confusion is not None
    matrix = analyses.confusion.matrix(truth.label_space.names)
    kept = np.concatenate(
        [one["labels"][one["scores"] >= analyses.confusion.score] for one in found]
    )
    assert matrix[:-1].sum(1).tolist() == np.bincount(truth.labels, minlength=80).tolist()
    assert matrix[:, :-1].sum(0).tolist() == np.bincount(kept, minlength=80).tolist()
    off = matrix[:-1, :-1].sum() - np.trace(matrix[:-1, :-1])
    assert 0 < off < np.trace(matrix[:-1, :-1])
