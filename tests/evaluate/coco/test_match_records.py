"""Records of images: parts of them, put in order, and collected as they come."""

from dataclasses import fields

import numpy as np
import pytest

from tests.evaluate.noisy_detector import detected, evaluated
from zoo.evaluate.coco.match_records import Log, MatchRecords, blank, nothing


@pytest.fixture(scope="module")
def records() -> MatchRecords:
    """Six images with several detections each."""
    return evaluated(*detected(3)).outcomes


def same(a: MatchRecords, b: MatchRecords) -> bool:
    return all(
        getattr(a, column.name).tolist() == getattr(b, column.name).tolist()
        for column in fields(MatchRecords)
    )


def test_some_images_keep_what_was_decided_about_them(records: MatchRecords) -> None:
    part = records.take(np.array([4, 1]))
    assert part.images.tolist() == [4, 1]
    rows = np.concatenate([np.flatnonzero(records.image_of() == image) for image in (4, 1)])
    assert part.scores.tolist() == records.scores[rows].tolist()
    assert part.boxes.tolist() == records.boxes[rows].tolist()
    hit = np.isin(np.arange(len(records)), records.hits)
    assert np.isin(np.arange(len(part)), part.hits).tolist() == hit[rows].tolist()
    assert same(part.take(np.array([1, 0])).take(np.array([1, 0])), part)
    assert records.take(np.arange(6)) is records


def test_images_come_into_order_and_each_once(records: MatchRecords) -> None:
    mixed = records.take(np.array([3, 0, 5, 3, 1, 2, 4]))
    assert same(mixed.in_order(), records)


def test_of_two_versions_of_an_image_the_same_one_stays_whatever_the_order() -> None:
    logs = []
    for seeds in ((3, 4), (4, 3)):
        log = Log(nothing(ranges=4), 12)
        for seed in seeds:
            log.absorb(Log(evaluated(*detected(seed)).outcomes, 6))
        logs.append(log.joined())
    assert logs[0].images.tolist() == list(range(6))
    assert same(*logs)


def test_a_log_takes_in_another_and_counts_it_as_a_whole(records: MatchRecords) -> None:
    log = Log(nothing(ranges=4), 6)
    for positions in ([5, 2], [0], [4, 1, 3]):
        log.absorb(Log(records.take(np.array(positions)), 6))
    assert len(log.held) == len(records)
    assert same(log.joined(), records)


def test_what_was_handed_out_never_changes(records: MatchRecords) -> None:
    log = Log(nothing(ranges=4), 6)
    log.absorb(Log(records.take(np.array([0, 1])), 6))
    before = log.held
    copy = before.scores.copy()
    log.absorb(Log(records.take(np.array([2, 3, 4, 5])), 6))
    assert before.scores.tolist() == copy.tolist()
    assert before.images.tolist() == [0, 1]


def test_room_for_records_has_the_columns_of_records() -> None:
    room = blank(5, np.dtype(np.float64), analyses=True)
    assert {name: len(column) for name, column in room.items()} == dict.fromkeys(room, 5)
    assert room["scores"].dtype == np.float64
    assert len(blank(5, np.dtype(np.float32), analyses=False)["boxes"]) == 0
    assert len(nothing(ranges=3)) == 0
    assert nothing(ranges=3).nbytes == 8
