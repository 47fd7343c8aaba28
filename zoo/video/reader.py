"""A thread that reads frames a little ahead: what waits is bounded in number and bytes, and of a
live source only the newest waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from zoo.video.clip import Clip, Decoded, Losses

NAME = "zoo-video"  # of the thread
WAITING = 16  # frames
WAITING_BYTES = 64 * 2**20
LOOK_AGAIN_SECONDS = 0.5  # so that an interrupt is heard while nothing comes
CLOSING_SECONDS = 2.0


class FrameSource(Protocol):
    """Where frames come from: PyAV, or images."""

    clip: Clip
    losses: Losses

    def frames(self) -> Iterator[Decoded]:
        """The frames, in order."""

    def close(self) -> None:
        """Lets go of files and connections."""


class FrameQueue:
    """Frames between the thread that reads and the one that looks at them.

    most: frames that may wait. late: called for each that was dropped because a newer one came;
        without it, whoever reads waits for a place.
    """

    def __init__(self, most: int, *, late: Callable[[], None] | None = None) -> None:
        self._most = most
        self._late = late
        self._frames: deque[Decoded] = deque()
        self._bytes = 0
        self._ended = False
        self._closed = False
        self._changed = threading.Condition()

    def put(self, frame: Decoded) -> bool:
        """Adds a frame when there is a place; whether anybody still wants one."""
        with self._changed:
            if self._late:
                while self._full():
                    self._taken()
                    self._late()
            self._changed.wait_for(lambda: self._closed or not self._full())
            if self._closed:
                return False
            self._frames.append(frame)
            self._bytes += frame.image.nbytes
            self._changed.notify_all()
            return True

    def get(self) -> Decoded | None:
        """The next frame, once it is there; None after the last."""
        with self._changed:
            while not self._frames and not self._ended:
                self._changed.wait(LOOK_AGAIN_SECONDS)
            frame = self._taken() if self._frames else None
            self._changed.notify_all()
            return frame

    def end(self) -> None:
        """No frame comes any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """No frame is wanted any more."""
        with self._changed:
            self._closed = self._ended = True
            self._frames.clear()
            self._changed.notify_all()

    def _taken(self) -> Decoded:
        frame = self._frames.popleft()
        self._bytes -= frame.image.nbytes
        return frame

    def _full(self) -> bool:
        many = len(self._frames) >= self._most
        return many or (len(self._frames) > 1 and self._bytes >= WAITING_BYTES)


class Reader:
    """Reads a source on a thread of its own, which also closes it.

    newest: of a live source, how many of the newest frames wait.
    """

    def __init__(self, source: FrameSource, *, newest: int = 1) -> None:
        self._source = source
        self._error: BaseException | None = None
        live = source.clip.live
        late = (lambda: source.losses.add("late")) if live else None
        self._queue = FrameQueue(newest if live else WAITING, late=late)
        self._thread = threading.Thread(target=self._read, name=NAME, daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[Decoded]:
        """The frames, in order. Raises: what reading them raised, after the frames before."""
        while (frame := self._queue.get()) is not None:
            yield frame
        if self._error:
            raise self._error

    def close(self) -> None:
        """Ends the thread; one that waits for a silent server ends when that has been given up."""
        self._queue.close()
        self._thread.join(CLOSING_SECONDS)

    def _read(self) -> None:
        try:
            for frame in self._source.frames():
                if not self._queue.put(frame):
                    return
        except BaseException as error:  # whoever looks at the frames gets it
            self._error = error
        finally:
            self._source.close()
            self._queue.end()
