"""Tracks: one id a thing for as long as it is there, and every detection once."""

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import supervision
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from trackers.eval import (
    compute_clear_metrics,
    compute_hota_metrics,
    compute_identity_metrics,
)

from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.errors import ContractError, MissingExtra, NameNotFound, UsageError
from zoo.labels import LabelSpace
from zoo.video import detect_video
from zoo.video.clip import Clip
from zoo.video.track import botsort, bytetrack, cbiou, ocsort, sort, tracks_in

LABELS = LabelSpace("things", ("car", "bus"))
TRACKERS = ("bytetrack", "sort", "ocsort", "cbiou", "botsort")
HEIGHT, WIDTH = 64, 160
SIZE = (HEIGHT, WIDTH)
COUNT = 50
HIDDEN = range(22, 28)  # frames in which the bus hides the car
Make = Callable[..., Path]


def boxes_at(time: float) -> dict[str, tuple[float, ...]]:
    """Where a car that drives right and a bus that drives left are; they cross after a second."""
    car, bus = 8 + 50 * time, 108 - 50 * time
    return {"car": (car, 20, car + 24, 44), "bus": (bus, 16, bus + 36, 48)}


def image_at(time: float, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    for box, color in zip(boxes_at(time).values(), ((200, 0, 0), (0, 200, 0)), strict=True):
        left, top, right, bottom = map(round, box)
        image[top:bottom, left:right] = color
    return image


class Truth:
    """Says what is known of each frame of a clip, one frame after the other."""

    label_space = LABELS
    defaults = Thresholds(score=0.1, iou=0.9, max_boxes=10)
    name = "truth"
    device = torch.device("cpu")

    def __init__(self, times: Sequence[float], hidden: Sequence[int] = ()) -> None:
        self._left = iter(enumerate(times))
        self._hidden = hidden

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(self, images: Sequence[Tensor], _: Thresholds) -> list[Detections]:
        return [self._next() for _ in images]

    def _next(self) -> Detections:
        index, time = next(self._left)
        names = ["bus"] if index in self._hidden else ["bus", "car"]
        boxes = [boxes_at(time)[name] for name in names]
        scores = [0.95, 0.9][: len(names)]
        return Detections.of(boxes, scores, names, label_space=LABELS)


def ids_of(frames) -> list[tuple[str, int | None]]:
    return [
        pair
        for frame in frames
        for pair in zip(frame.detections.class_names, frame.tracks, strict=True)
    ]


@pytest.mark.parametrize("name", TRACKERS)
def test_ids_stay_when_one_hides_the_other(name: str, make_clip: Make) -> None:
    path = make_clip("a.mp4", count=COUNT, size=SIZE, draw=lambda i, h, w: image_at(i / 25, h, w))
    truth = Truth([index / 25 for index in range(COUNT)], HIDDEN)
    frames = list(detect_video(truth, path, track=name))
    assert [len(frame.detections) for frame in frames] == [
        1 if index in HIDDEN else 2 for index in range(COUNT)
    ]
    pairs = {pair for pair in ids_of(frames) if pair[1] is not None}
    assert pairs == {("bus", 1), ("car", 2)}
    assert all(track is not None for _, track in ids_of(frames[30:]))  # both, after they crossed


@pytest.mark.parametrize("name", TRACKERS)
def test_a_reference_finds_no_switch_of_ids(name: str) -> None:
    times = [index / 25 for index in range(COUNT)]
    images = [(time, image_at(time)) for time in times]
    truth, tracked, overlaps = [], [], []
    for frame in detect_video(Truth(times, HIDDEN), images, track=name):
        known = [row for row, track in enumerate(frame.tracks or ()) if track is not None]
        truth.append(frame.detections.labels.numpy())
        tracked.append(np.array([frame.tracks[row] for row in known], dtype=int))
        overlaps.append(np.eye(len(frame.detections))[:, known])
    clear = compute_clear_metrics(truth, tracked, overlaps)
    assert (clear["IDSW"], clear["CLR_FP"]) == (0, 0)
    assert clear["MOTA"] > 0.9  # what is missing are the first frames, before ids are given
    assert compute_identity_metrics(truth, tracked, overlaps)["IDF1"] > 0.95
    assert compute_hota_metrics(truth, tracked, overlaps)["HOTA"] > 0.9


@pytest.mark.parametrize("step", ["every", "variable"])
def test_tracks_follow_the_times_of_the_clip(step: str, make_clip: Make) -> None:
    if step == "every":
        times = [index / 25 for index in range(0, COUNT, 3)]
        path = make_clip(
            "a.mp4", count=COUNT, size=SIZE, draw=lambda i, h, w: image_at(i / 25, h, w)
        )
        frames = list(detect_video(Truth(times), path, track=True, every=3))
    else:
        gaps = np.random.default_rng(3).choice([0.04, 0.08, 0.2], 20)
        times = [float(time) for time in np.cumsum(gaps) - gaps[0] if time < 2]
        images = [(time, image_at(time)) for time in times]
        frames = list(detect_video(Truth(times), images, track=True, rate=10))
    assert [frame.time for frame in frames] == pytest.approx(times)
    assert {pair for pair in ids_of(frames) if pair[1]} == {("bus", 1), ("car", 2)}
    assert all(track for _, track in ids_of(frames[2:]))


def test_two_clips_at_once_have_ids_of_their_own() -> None:
    times = [index / 25 for index in range(20)]
    images = [(time, image_at(time)) for time in times]
    alone = [frame.tracks for frame in detect_video(Truth(times), images, track=True)]
    streams = [detect_video(Truth(times), images, track=True) for _ in range(2)]
    both = [(one.tracks, other.tracks) for one, other in zip(*streams, strict=True)]
    assert both == [(tracks, tracks) for tracks in alone]
    assert alone[-1] == [1, 2]


def test_without_tracking_there_are_no_ids() -> None:
    frame = next(detect_video(Truth([0.0]), [image_at(0)]))
    assert frame.tracks is None
    assert "track" not in frame.to_json()["detections"][0]


def test_results_and_images_have_the_ids() -> None:
    times = [index / 25 for index in range(5)]
    frames = list(detect_video(Truth(times), [image_at(time) for time in times], track=True))
    first, last = frames[0], frames[-1]
    assert [row["track"] for row in first.to_json()["detections"]] == [None, None]
    assert [row["track"] for row in last.to_json()["detections"]] == [1, 2]
    assert first.to_supervision().tracker_id.tolist() == [-1, -1]
    assert last.to_supervision().tracker_id.tolist() == [1, 2]
    colors = [set(frame.draw().get_flattened_data()) for frame in (first, last)]
    assert colors[0] != colors[1]


def follow_some(name: str, frames: list[list[tuple[int, int, int, int, float]]]) -> None:
    tracks = tracks_in(Clip(source="a", rate=25.0), name)
    assert tracks
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    for index, rows in enumerate(frames):
        boxes = [(x, y, x + width, y + height) for x, y, width, height, _ in rows]
        scores = [row[4] for row in rows]
        labels = [index % 2 for index in range(len(rows))]
        detections = Detections.of(boxes, scores, labels, label_space=LABELS, size=SIZE)
        ids = tracks.follow(detections, image=image, time=index / 25)
        assert len(ids) == len(rows)
        known = [track for track in ids if track is not None]
        assert len(set(known)) == len(known)
        assert all(track >= 1 for track in known)


ROW = st.tuples(
    st.integers(0, 60), st.integers(0, 30), st.integers(1, 90), st.integers(1, 30), st.floats(0, 1)
)


@pytest.mark.parametrize("name", ["bytetrack", "sort", "ocsort", "cbiou"])
@given(frames=st.lists(st.lists(ROW, max_size=6), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_detection_comes_out_once(name: str, frames) -> None:
    follow_some(name, frames)


def test_a_score_between_thresholds_loses_no_detection() -> None:
    """As 0.65 is to ByteTrack: enough to continue a track, too little to begin one."""
    for name, score in itertools.product(TRACKERS, (0.05, 0.3, 0.65, 0.9)):
        follow_some(name, [[(10, 10, 20, 20, score)]] * 4 + [[]] + [[(90, 10, 20, 20, score)]] * 2)


@pytest.mark.parametrize("make", [bytetrack, sort, ocsort, cbiou, botsort])
def test_a_tracker_may_be_a_function_of_the_frame_rate(make) -> None:
    rates = []

    def build(rate: float):
        rates.append(rate)
        return make(rate)

    assert tracks_in(Clip(source="a", rate=30.0), build, every=3)
    assert rates == pytest.approx([10])


def test_a_tracker_may_return_detections_in_another_order() -> None:
    class Backwards:
        def update(self, detections, *_, **__):
            turned = detections[::-1]
            turned.tracker_id = np.arange(len(turned)) + 70
            return turned

    tracks = tracks_in(Clip(source="a"), lambda _: Backwards())
    boxes = [(0, 0, 9, 9), (20, 0, 29, 9), (40, 0, 49, 9)]
    detections = Detections.of(boxes, [0.9, 0.8, 0.7], [0, 0, 1], label_space=LABELS, size=SIZE)
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    assert tracks
    assert tracks.follow(detections, image=image, time=0.0) == [1, 2, 3]
    assert tracks.follow(detections[:2], image=image, time=0.1) == [2, 3]


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (lambda *_, **__: 1 / 0, "Broken.update raised ZeroDivisionError: division by zero"),
        (lambda *_, **__: None, "Broken returned detections without ids"),
    ],
)
def test_a_tracker_that_fails_is_named(update: Callable[..., object], said: str) -> None:
    broken = type("Broken", (), {"update": staticmethod(update)})
    frames = detect_video(Truth([0.0]), [image_at(0)], track=lambda _: broken())
    with pytest.raises(ContractError, match=said):
        list(frames)


def test_a_tracker_that_drops_what_it_was_given_is_named() -> None:
    class Careless:
        def update(self, detections, *_, **__):
            return supervision.Detections(detections.xyxy, tracker_id=np.array([1, 2]))

    times = [0.0]
    frames = detect_video(Truth(times), [image_at(0)], track=lambda _: Careless())
    with pytest.raises(ContractError, match=r"Careless returned detections without ids"):
        next(frames)


def test_an_unknown_tracker_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(NameNotFound, match="No 'magic' among the trackers") as caught:
        detect_video(Truth([]), [], track="magic")
    assert "zoo/bytetrack" in caught.value.fix


@pytest.mark.parametrize("track", [object(), 3, lambda rate: rate])
def test_what_is_no_tracker_is_refused(track) -> None:
    with pytest.raises(UsageError, match="track"):
        detect_video(Truth([]), [], track=track)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'detzoo\[track\]'"):
        detect_video(Truth([]), [], track=True)
