"""A run on disk: images are added while a model looks at them, and a kill at any moment neither
loses nor repeats one.

    runs/MODEL@DATA@PROTOCOL-KEY.parquet          the predictions, once every image is in
    runs/MODEL@DATA@PROTOCOL-KEY.parquet.parts/   the parts so far: 000000.parquet … and the lock

A part is written whole or not at all, and an image is in one part only. When all are in, they are
written as one file, and only then are the parts removed. KEY is a fingerprint of the model, its
code and weights, the content of the images, the protocol and the versions of what reads images and
computes, so that the same run is found again and no other is taken for it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from zoo.data import ImageRecord
from zoo.drafts import clear
from zoo.environment import home
from zoo.errors import DataError
from zoo.evaluate.naming import file_name
from zoo.evaluate.predictions.parquet import PARQUET_SUFFIX
from zoo.evaluate.predictions.predictions import Predictions, joined
from zoo.evaluate.predictions.provenance import joined as joined_facts
from zoo.evaluate.predictions.provenance import now

if TYPE_CHECKING:
    from zoo.detections import Detections

PARTS = ".parts"
PASSING = "zoo-run-"  # how the folder of a run begins that is not kept
SECONDS = 5.0  # a part is written at least so often: what a kill can cost
_DECIDE = (
    *("model", "card_sha256", "weights_sha256", "state_sha256", "plugin", "code_sha256"),
    *("images_sha256", "protocol_sha256"),
    *("detzoo", "torch", "torchvision", "pillow"),
)
_DECIDE_IF_KNOWN = ("files_sha256", "labels_sha256")


def folder() -> Path:
    """The default folder of runs."""
    return home() / "runs"


def file_of(facts: dict[str, str], to: Path) -> Path:
    """The file of the run that these facts are of."""
    named = "@".join(file_name(facts[key])[:60] for key in ("model", "data", "protocol"))
    return to / f"{named}-{key_of(facts)[:12]}{PARQUET_SUFFIX}"


def key_of(facts: dict[str, str]) -> str:
    """A fingerprint of everything that decides what a run sees, as 64 hex digits."""
    values: list[object] = [facts.get(name) for name in _DECIDE]
    values += [[name, facts[name]] for name in _DECIDE_IF_KNOWN if name in facts]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


@dataclass
class PredictionStore:
    """One run that is under way, in the one process that holds its lock.

    file:  where the predictions will be.
    facts: their provenance. names: of the classes.
    """

    file: Path
    facts: dict[str, str]
    names: tuple[str, ...] = ()
    _parts: list[Predictions] = field(default_factory=list)
    _waiting: list[tuple[ImageRecord, Detections]] = field(default_factory=list)
    _since: float = 0.0

    @property
    def parts(self) -> Path:
        """The folder of the parts."""
        return self.file.with_name(f"{self.file.name}{PARTS}")

    def done(self) -> set[int | str]:
        """The ids of the images that are in."""
        return {image_id for part in self._parts for image_id in part.image_ids.tolist()}

    def sizes(self) -> list[tuple[int | str, tuple[int, int]]]:
        """The ids of the images that are in, with their height and width in pixels as they were
        read."""
        pairs = (
            zip(part.image_ids.tolist(), part.sizes.tolist(), strict=True) for part in self._parts
        )
        return [(image_id, (height, width)) for part in pairs for image_id, (height, width) in part]

    def discard(self) -> None:
        """Removes what an earlier process has left."""
        for path in self.parts.glob(f"*{PARQUET_SUFFIX}"):
            path.unlink()
        self._parts, self._waiting = [], []

    def resume(self, image_ids: Collection[int | str] | None = None) -> None:
        """Takes up what an earlier process has left.

        image_ids: those of all images. Raises: DataError naming a part that is damaged or of
            another run.
        """
        clear(self.parts, young=0)  # whose lock is held
        self._parts, done = [], set[int | str]()
        for path in sorted(self.parts.glob(f"*{PARQUET_SUFFIX}")):
            try:
                self._parts.append(self._check_part(Predictions.read(path), image_ids, done))
            except DataError as error:
                raise DataError(
                    f"{path} was read, to go on with a run.",
                    error.case,
                    "Remove that file and run the same again: the other parts stay.",
                ) from None
            done.update(self._parts[-1].image_ids.tolist())
        self._since = monotonic()

    def _check_part(
        self, part: Predictions, image_ids: Collection[int | str] | None, done: set[int | str]
    ) -> Predictions:
        """Raises: DataError for a part that is of another run, has an image that is `done`, or
        lacks what a whole needs."""
        if key_of(part.provenance) != key_of(self.facts):
            raise part.flaw("It is of another run.")
        if missing := [
            key for key in ("started", "finished", "seconds") if key not in part.provenance
        ]:
            raise part.flaw(f"Its provenance has no entry '{missing[0]}'.")
        if self._parts and part.names != self._parts[0].names:
            raise part.flaw("Its classes are others than those of the parts before it.")
        if image_ids is not None and (
            foreign := set(part.image_ids.tolist()).difference(image_ids)
        ):
            raise part.flaw(f"Image {min(foreign, key=str)!r} is none of the data set's.")
        if twice := done.intersection(part.image_ids.tolist()):
            raise part.flaw(f"Image {min(map(str, twice))} is in another part too.")
        return part

    def note(self, facts: Mapping[str, str]) -> None:
        """Hardware that images are looked at with from now on; of several kinds, all are listed."""
        if all(value in self.facts.get(key, "").split("; ") for key, value in facts.items()):
            return
        self.flush()
        before = {key: self.facts[key] for key in facts if key in self.facts}
        self.facts |= joined_facts([before, facts])

    def add(self, record: ImageRecord, detections: Detections) -> None:
        """One more image; it is on disk within `SECONDS`, as long as images come."""
        self._waiting.append((record, detections))
        if monotonic() - self._since >= SECONDS:
            self.flush()

    def _next_number(self) -> int:
        """The number of a new part: behind all that are there, of which some may be missing."""
        stems = (path.stem for path in self.parts.glob(f"*{PARQUET_SUFFIX}"))
        return max((int(stem) for stem in stems if stem.isdecimal()), default=-1) + 1

    def flush(self) -> None:
        """Writes what waits as one more part."""
        if self._waiting:
            facts = {**self.facts, "finished": now(), "seconds": f"{monotonic() - self._since:.1f}"}
            part = as_predictions(self._waiting, self.names, facts)
            part.write(self.parts / f"{self._next_number():06d}{PARQUET_SUFFIX}")
            self._parts.append(part)
            self._waiting = []
        self._since = monotonic()

    def finish(self, order: Sequence[int | str]) -> Predictions:
        """All images as one file, in that order; the parts are gone then."""
        self.flush()
        facts = [part.provenance for part in self._parts]
        times = {
            "started": min(fact["started"] for fact in facts),
            "finished": max(fact["finished"] for fact in facts),
            "seconds": f"{sum(float(fact['seconds']) for fact in facts):.1f}",
        }
        predictions = joined(self._parts, joined_facts(facts) | times, order=order)
        self._parts = []  # a large run would not be held several times
        predictions.write(self.file)
        del predictions
        shutil.rmtree(self.parts, ignore_errors=True)
        return Predictions.read(self.file)


def clear_finished(to: Path) -> None:
    """Removes the parts of runs that are finished, which a kill has left; never those that a
    process holds."""
    with suppress(OSError):
        for parts in to.glob(f"*{PARQUET_SUFFIX}{PARTS}"):
            if parts.with_name(parts.name.removesuffix(PARTS)).is_file():
                _remove_unowned(parts)


def clear_passing() -> None:
    """Removes the folders of runs without a place of their own whose process was killed."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PASSING}*"):
            parts = list(folder.glob(f"*{PARTS}"))
            if parts and all(map(_remove_unowned, parts)):
                shutil.rmtree(folder, ignore_errors=True)


def _remove_unowned(parts: Path) -> bool:
    """Whether no process held the folder, which is gone then."""
    from filelock import FileLock, Timeout  # deferred, as below

    try:
        with FileLock(parts / "lock", timeout=0):
            shutil.rmtree(parts, ignore_errors=True)
    except (Timeout, OSError):
        return False
    return True


@contextmanager
def locked(run: PredictionStore) -> Iterator[PredictionStore]:
    """The run, for this process alone; what waits is written when it ends, however it ends.

    Raises: DataError where another process is at it.
    """
    from filelock import FileLock, Timeout  # deferred: a run that is done needs no lock

    try:
        run.parts.mkdir(parents=True, exist_ok=True)
        lock = FileLock(run.parts / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise DataError(
            f"Predictions can't be made in {run.file.parent}.",
            f"Another process is making these: {run.file.name}.",
            "Wait until it is done, or keep runs in another folder: --to of zoo predict and "
            "evaluate, --runs of a board.",
        ) from None
    except OSError as error:
        raise DataError(
            f"Predictions can't be made in {run.file.parent}.",
            f"{error.strerror}.",
            "Name a folder for runs that can be written: --to of zoo predict and evaluate, --runs "
            "of a board.",
        ) from error
    try:
        yield run
    finally:
        try:
            if run.parts.is_dir():
                run.flush()
        finally:
            lock.release()


def as_predictions(
    rows: Sequence[tuple[ImageRecord, Detections]], names: tuple[str, ...], facts: dict[str, str]
) -> Predictions:
    of_images = [detections for _, detections in rows]
    ids = [record.id for record, _ in rows]
    return Predictions(
        image_ids=np.array(ids, np.str_ if isinstance(ids[0], str) else np.int64),
        files=np.array([record.path.name for record, _ in rows], np.str_),
        sizes=np.array([detections.size for detections in of_images], np.int32).reshape(-1, 2),
        starts=np.concatenate(
            [[0], np.cumsum([len(detections) for detections in of_images])]
        ).astype(np.int64),
        boxes=np.concatenate([detections.boxes.numpy() for detections in of_images]).astype(
            np.float32, copy=False
        ),
        scores=np.concatenate([detections.scores.numpy() for detections in of_images]).astype(
            np.float32, copy=False
        ),
        labels=np.concatenate([detections.labels.numpy() for detections in of_images]).astype(
            np.int32
        ),
        names=names,
        provenance=facts,
    )
