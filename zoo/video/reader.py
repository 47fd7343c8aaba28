"""Reads frames a little ahead on a thread: the number and bytes of waiting frames are limited, and
of a live source only the newest ones wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from zoo.video.clip import Clip, Decoded, Losses

THREAD_NAME = "zoo-video"
MAX_WAITING = 16  # frames
MAX_WAITING_BYTES = 64 * 2**20
POLL_SECONDS = 0.5  # so that a wait can be interrupted
CLOSING_SECONDS = 2.0


class FrameSource(Protocol):
    """A source of frames: `AvSource` or `ImageSource`."""

    clip: Clip
    losses: Losses

    def frames(self) -> Iterator[Decoded]:
        """The frames, in order."""

    def close(self) -> None:
        """Closes files and connections."""


class FrameQueue:
    """A queue of frames between the reading thread and the detecting one.

    most: the most frames that wait.
    late: called for each frame that is dropped because a newer one came; without it, `put` waits
        while the queue is full.
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
        """Adds a frame once there is room; returns False if the queue is closed."""
        with self._changed:
            if self._late:
                while self._is_full():
                    self._pop()
                    self._late()
            self._changed.wait_for(lambda: self._closed or not self._is_full())
            if self._closed:
                return False
            self._frames.append(frame)
            self._bytes += frame.image.nbytes
            self._changed.notify_all()
            return True

    def get(self) -> Decoded | None:
        """Waits for the next frame; None after the last."""
        with self._changed:
            while not self._frames and not self._ended:
                self._changed.wait(POLL_SECONDS)
            frame = self._pop() if self._frames else None
            self._changed.notify_all()
            return frame

    def end(self) -> None:
        """Marks the end of the frames."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Drops all frames, and makes `put` return False."""
        with self._changed:
            self._closed = self._ended = True
            self._frames.clear()
            self._changed.notify_all()

    def _pop(self) -> Decoded:
        frame = self._frames.popleft()
        self._bytes -= frame.image.nbytes
        return frame

    def _is_full(self) -> bool:
        many = len(self._frames) >= self._most
        return many or (len(self._frames) > 1 and self._bytes >= MAX_WAITING_BYTES)


class Reader:
    """Reads a source on a thread of its own, which also closes it.

    newest: how many frames of a live source wait; older ones are dropped.
    """

    def __init__(self, source: FrameSource, *, newest: int = 1) -> None:
        self._source = source
        self._error: BaseException | None = None
        live = source.clip.live
        late = (lambda: source.losses.add("late")) if live else None
        self._queue = FrameQueue(newest if live else MAX_WAITING, late=late)
        self._thread = threading.Thread(target=self._read, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[Decoded]:
        """The frames, in order. Raises: the error of reading, after the frames before it."""
        while (frame := self._queue.get()) is not None:
            yield frame
        if self._error:
            raise self._error

    def close(self) -> None:
        """Ends the thread; if it waits for a silent server, it ends at FFmpeg's timeout."""
        self._queue.close()
        self._thread.join(CLOSING_SECONDS)

    def _read(self) -> None:
        try:
            for frame in self._source.frames():
                if not self._queue.put(frame):
                    return
        except BaseException as error:  # raised again by `frames`
            self._error = error
        finally:
            self._source.close()
            self._queue.end()
