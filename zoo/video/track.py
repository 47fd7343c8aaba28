"""Tracking: gives detections of the same object in successive frames the same id."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeAlias

import numpy as np
from torch import Tensor

from zoo.detections import Detections
from zoo.errors import ContractError, UsageError
from zoo.extras import optional
from zoo.registry import catalogue
from zoo.text import type_name
from zoo.video.clip import Clip

DEFAULT_TRACKER = "bytetrack"
TRACK_FIX = (
    'Pass track=True, a name, track="sort", or a function that makes a tracker of a frame rate.'
)


class Tracker(Protocol):
    """Follows objects from frame to frame, as the classes of the package `trackers` do.

    One with an attribute `cmc`, which compensates camera motion, also gets the frame, as a BGR
    array `(h, w, 3)`.
    """

    def update(
        self, detections: Any, frame: np.ndarray[Any, Any] | None = None, *, timestamp: float
    ) -> Any:
        """Returns the `supervision.Detections` of a frame with their `tracker_id`, below 0 for no
        track, in any order, with their `data`."""


Track: TypeAlias = bool | str | Callable[[float], Tracker]


class Tracks:
    """The tracks of one clip: ids from 1, in the order in which they first appear."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._ids: dict[int, int] = {}  # the tracker's -> ours

    def follow(self, detections: Detections, *, image: Tensor, time: float) -> list[int | None]:
        """The id of each detection of the next frame, or None if it has no track.

        Raises: ContractError for a tracker that raises, or drops ids or `data`.
        """
        passed = detections.to_supervision()
        passed.data["row"] = np.arange(len(detections))
        wants_frame = getattr(self._tracker, "cmc", None) is not None
        frame = (
            np.ascontiguousarray(image.numpy()[::-1].transpose(1, 2, 0)) if wants_frame else None
        )
        name = type(self._tracker).__name__
        try:
            returned = self._tracker.update(passed, frame, timestamp=time)
        except Exception as error:
            raise _defect(f"{name}.update raised {type(error).__name__}: {error}") from error
        ids = getattr(returned, "tracker_id", None)
        rows = getattr(returned, "data", {}).get("row", np.arange(0))
        if ids is None or len(ids) != len(rows):
            raise _defect(f"{name} returned detections without ids or without data.")
        theirs = {int(row): int(track) for row, track in zip(rows, ids, strict=True) if track >= 0}
        return [self._own_id(theirs.get(row)) for row in range(len(detections))]

    def _own_id(self, track: int | None) -> int | None:
        return None if track is None else self._ids.setdefault(track, len(self._ids) + 1)


def _defect(case: str) -> ContractError:
    """The error for a defective tracker."""
    fix = "Return the detections that update() was given, with tracker_id and their data."
    return ContractError("The clip can't be tracked.", case, fix)


def tracks_in(clip: Clip, track: Track | None, *, every: int = 1) -> Tracks | None:
    """Starts tracking in a clip, of which one of `every` frames is processed; None without
    tracking.

    track: True for ByteTrack; a name that `register_trackers` registered; or a function from the
        mean frame rate to a tracker, for thresholds of your own.

    Raises:
        NameNotFound: no tracker has that name.
        MissingExtra: the package is not installed: pip install 'detzoo[track]'.
        UsageError: `track` is none of these.
    """
    if track is None or track is False:
        return None
    name = DEFAULT_TRACKER if track is True else track
    build = catalogue().builder("trackers", name) if isinstance(name, str) else name
    if not callable(build):
        case = "A tracker belongs to one clip, and is made for it."
        raise UsageError(f"track was given {type_name(track)}.", case, TRACK_FIX)
    tracker = build(1 / (clip.period * every))
    if not callable(getattr(tracker, "update", None)):
        case = "It has no method update()."
        raise UsageError(f"track made {type_name(tracker)}, not a tracker.", case, TRACK_FIX)
    return Tracks(tracker)


def _make(kind: str, rate: float) -> Tracker:
    """One of the package's trackers. Raises: MissingExtra if it is not installed."""
    package = optional("trackers", wanted_for="Tracking", extra="track")
    tracker: Tracker = getattr(package, kind)(frame_rate=rate)
    return tracker


sort = partial(_make, "SORTTracker")
bytetrack = partial(_make, "ByteTrackTracker")
ocsort = partial(_make, "OCSORTTracker")
cbiou = partial(_make, "CBIoUTracker")
botsort = partial(_make, "BoTSORTTracker")
