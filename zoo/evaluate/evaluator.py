"""The evaluator: detections in, image by image; exact numbers out. Boxes are matched once and
then forgotten."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_tables import BoxFormat
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_ids import rows_of_ids
from zoo.environment import cores
from zoo.errors import DataError
from zoo.evaluate.arguments import check_evaluator, check_image_ids, check_resampling
from zoo.evaluate.coco.accumulation import Curves
from zoo.evaluate.coco.backend import BackendName, choose
from zoo.evaluate.coco.flatten import FlatDetections, check_count, flatten
from zoo.evaluate.coco.match_records import Log, MatchRecords, nothing
from zoo.evaluate.coco.matched_images import MatchedImages
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.coco.state import Header, check, pack, unpack
from zoo.evaluate.measure import measure
from zoo.evaluate.parallel import in_order
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.report import Report
from zoo.evaluate.settings import CocoSettings
from zoo.text import pluralize, type_name

# images that are flattened and matched together, which bounds the memory
_AT_ONCE = {"kernel": 768, "numpy": 256}


class Evaluator:
    """Measures detections against ground truth by the COCO protocol, to pycocotools' last bit.

        evaluator = Evaluator(coco.read("instances.json"))
        for image_ids, images in batches:
            evaluator.update(image_ids, [model.detect(image) for image in images])
        evaluator.numbers()["AP"]

    Batch size, order, threads and the number of processes whose evaluators are merged change
    nothing, not one bit. Any number of threads may use one evaluator at once: an update is there as
    a whole or not yet, and whoever asks for numbers meanwhile gets those of the updates that are.
    An evaluator can be copied and pickled.
    """

    def __init__(
        self,
        dataset: GroundTruth,
        *,
        settings: CocoSettings | None = None,
        policy: EdgeCasePolicy | None = None,
        analyses: bool = True,
        backend: BackendName = "auto",
        threads: int | None = None,
    ) -> None:
        """analyses: also keep what error types, confusion, LRP and calibration need. threads: all
        cores unless given.

        Raises: UsageError for an argument that can't be; DataError where the policy refuses the
            data set.
        """
        check_evaluator(dataset, settings, policy, threads)
        self.dataset = dataset
        self.settings = settings or CocoSettings()
        self.policy = policy or EdgeCasePolicy()
        self.analyses = analyses
        self.unmet: Counter[str] = Counter()
        self._refuse_without_areas()
        self._plan = MatchingProblem.of(dataset, self.settings, self.policy)
        self._options: tuple[BackendName, int | None] = (backend, threads)
        self.backend = choose(backend)
        self._threads = threads or cores()
        self._log = Log(nothing(ranges=len(self._plan.ranges)), len(dataset))
        self._seen = np.zeros(len(dataset), bool)
        # held while the log, `_seen` and `unmet` change or are read; never while boxes are matched
        self._lock = threading.Lock()

    def update(
        self, image_ids: Iterable[Any], detections: _Given, *, box_format: BoxFormat = "xyxy"
    ) -> None:
        """Takes in everything that was found in some images; all or, where it raises, nothing.

        detections: one item per image, `zoo.Detections` or a mapping with `boxes` (n, 4), `scores`
            (n,), `labels` (n,), arrays or tensors; or one mapping of padded arrays with `counts`.
            Labels are positions in the data set's label space; `zoo.Detections` of another space
            meet it by class name.
        Raises: DataError naming the image; UsageError for a format of boxes that there is not.
        """
        ids = _list_of(image_ids)
        check_count(detections, len(ids))
        rows = rows_of_ids(self.dataset.image_ids, np.asarray(ids), self.dataset.name)
        self._refuse_again(rows)
        order = np.sort(rows)
        again = order[1:][order[1:] == order[:-1]]
        self._refuse(again)
        # matching takes each image once
        step = 1 if len(again) else _AT_ONCE[self.backend.name]

        def flat(start: int) -> tuple[NDArray[np.int64], FlatDetections]:
            stop = start + step
            return rows[start:stop], flatten(
                _part(detections, start, stop),
                image_ids=ids[start:stop],
                label_space=self.dataset.label_space,
                box_format=box_format,
            )

        self._take_in(*self._match(flat, range(0, len(ids), step), len(ids)))

    def _match(
        self,
        flat: Callable[[int], tuple[NDArray[np.int64], FlatDetections]],
        starts: range,
        images: int,
    ) -> tuple[Log, Counter[str]]:
        """Everything matched, part by part. flat: the rows and detections of the part that begins
        there.

        Several threads take a part each: while one flattens, which Python does, others match.
        """
        match = partial(self.backend.match, plan=self._plan, analyses=self.analyses)
        if len(starts) == 1:  # the short way for what mostly comes, a batch
            rows, only = flat(0)
            return Log(match(only, rows, threads=self._threads), images), Counter(only.unmet)
        matched, unmet = Log(nothing(ranges=len(self._plan.ranges)), images), Counter[str]()
        if self._threads == 1:
            for start in starts:
                rows, part = flat(start)
                unmet.update(part.unmet)
                matched.absorb(Log(match(part, rows, threads=1, room=matched.room), 0))
            return matched, unmet

        def work(start: int) -> tuple[MatchRecords, Mapping[str, int]]:
            rows, part = flat(start)
            return match(part, rows, threads=1), part.unmet

        with ThreadPoolExecutor(self._threads) as pool:
            for outcomes, of_part in in_order(pool, work, starts, ahead=self._threads + 1):
                unmet.update(of_part)
                matched.absorb(Log(outcomes, 0))
        return matched, unmet

    def _take_in(self, matched: Log, unmet: Counter[str]) -> None:
        """The one place where what was seen grows: all of it or, where it raises, nothing."""
        rows = matched.held.images
        with self._lock:
            self._refuse_again(rows)  # again: another thread may have handed them over meanwhile
            self._log.absorb(matched)
            self._seen[rows] = True
            if unmet:
                self.unmet = self.unmet + unmet

    def merge(self, other: Evaluator) -> None:
        """Takes in what another evaluator of the same data set has seen; `other` is left as it is.

        Raises: DataError where the two measure something different, or where both have seen an
            image and the policy refuses that.
        """
        if not isinstance(other, Evaluator):
            raise self._not_merged(
                f"The other is {type_name(other)}; bytes become one by Evaluator.from_state."
            )
        for setting in ("settings", "policy", "analyses"):
            if getattr(self, setting) != getattr(other, setting):
                raise self._not_merged(
                    f"Their {setting} differ: {getattr(self, setting)} and "
                    f"{getattr(other, setting)}."
                )
        if self.dataset is not other.dataset and self.dataset.sha256 != other.dataset.sha256:
            raise self._not_merged(
                f"They are of different data: {self.dataset.name} and {other.dataset.name}."
            )
        theirs = other._snapshot()
        self._take_in(Log(theirs.outcomes, len(self.dataset)), theirs.unmet)

    def _snapshot(self) -> _Snapshot:
        """The records so far, as of one moment. Its arrays never change."""
        with self._lock:
            outcomes, unmet = self._log.joined(), self.unmet.copy()
        updated = np.zeros(len(self.dataset), bool)
        updated[outcomes.images] = True
        return _Snapshot(outcomes, updated, unmet)

    def state(self) -> bytes:
        """Everything seen so far, without the data set; the same bytes whatever way it came
        together."""
        snapshot = self._snapshot()
        header = Header(
            self.dataset.sha256,
            self.settings,
            self.policy,
            self.analyses,
            dict(sorted(snapshot.unmet.items())),
        )
        return pack(snapshot.outcomes, header)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.state(), self.dataset, *self._options)

    @classmethod
    def from_state(
        cls,
        state: bytes,
        dataset: GroundTruth,
        *,
        backend: BackendName = "auto",
        threads: int | None = None,
    ) -> Evaluator:
        """The evaluator that gave this state. Raises: DataError where the bytes are broken, or of
        another data set."""
        outcomes, header = unpack(state)
        if header.dataset != dataset.sha256:
            raise DataError(
                f"The state of an evaluator of {dataset.name} can't be read.",
                f"It is of other data: sha256 {header.dataset[:12]}…, not {dataset.sha256[:12]}….",
                "Pass the data set it was made with.",
            )
        options = {
            "settings": header.settings,
            "policy": header.policy,
            "analyses": header.analyses,
        }
        evaluator = cls(dataset, **options, backend=backend, threads=threads)  # type: ignore[arg-type]
        check(outcomes, evaluator._plan, analyses=header.analyses)
        evaluator._take_in(Log(outcomes, len(dataset)), Counter(header.unmet))
        return evaluator

    def _refuse_without_areas(self) -> None:
        if self.policy.missing_area == "refuse" and self.dataset.no_area:
            raise DataError(
                f"Nothing can be measured on {self.dataset.name}.",
                f"{self.dataset.no_area} of its {pluralize(len(self.dataset.ids), 'annotation')} "
                f"{'has' if self.dataset.no_area == 1 else 'have'} no area.",
                "Add the areas of the masks, or choose EdgeCasePolicy(missing_area='box') for "
                "those of "
                "the boxes.",
            )

    def _not_merged(self, case: str) -> DataError:
        return DataError(
            "Two evaluators can't be merged.",
            case,
            "Make both with the same data set, settings and policy.",
        )

    def _refuse_again(self, rows: NDArray[np.integer]) -> None:
        """Raises: DataError naming an image that was seen before, unless the policy takes it
        once."""
        self._refuse(rows[self._seen[rows]])

    def _refuse(self, again: NDArray[np.integer]) -> None:
        if len(again) and self.policy.repeated_images == "refuse":
            raise DataError(
                f"Detections of image {self.dataset.image_ids[again[0]].item()!r} were handed "
                f"over.",
                "Those of that image are there already; counting them twice would change every "
                "number.",
                "Hand every image over once, or choose EdgeCasePolicy(repeated_images='once').",
            )

    @property
    def outcomes(self) -> MatchRecords:
        """The records of everything seen so far, by ascending image id."""
        return self._snapshot().outcomes

    def matched_images(self) -> MatchedImages:
        """Everything seen so far, ready to be measured. Raises: DataError where the policy refuses
        what was seen."""
        return self._matched_images_of(self._snapshot())

    def _matched_images_of(self, snapshot: _Snapshot) -> MatchedImages:
        return MatchedImages(
            snapshot.outcomes,
            self._images_that_count(snapshot),
            self._plan,
            self.policy,
            self.backend,
            self._threads,
        )

    def curves(self, limits: Sequence[int] | None = None) -> Curves:
        """Precision, recall and scores at some limits of detections; at all of them unless said
        otherwise."""
        return self.matched_images().curves_at(
            self.settings.detections if limits is None else limits
        )

    def _images_that_count(self, snapshot: _Snapshot) -> NDArray[np.bool_]:
        """(m,) the images that count. Raises: DataError where the policy refuses what was
        seen."""
        if self.policy.unseen_images == "refuse" and not snapshot.seen.all():
            missing = self.dataset.image_ids[~snapshot.seen]
            total = pluralize(len(self.dataset), "image")
            raise DataError(
                f"{self.dataset.name} has no numbers yet.",
                f"{len(missing)} of its {total} {'was' if len(missing) == 1 else 'were'} never "
                f"handed over, "
                f"among them {missing[0].item()!r}.",
                "Hand over the rest, also images where nothing was found, or choose "
                "EdgeCasePolicy(unseen_images='empty').",
            )
        if self.policy.no_detections == "refuse" and not len(snapshot.outcomes):
            raise DataError(
                f"{self.dataset.name} has no numbers yet.",
                "There is no detection at all.",
                "Choose EdgeCasePolicy(no_detections='zero').",
            )
        return (
            np.ones_like(snapshot.seen) if self.policy.unseen_images == "empty" else snapshot.seen
        )

    def numbers(self) -> dict[str, float]:
        """The headline numbers by name, in pycocotools' order; -1 where one is not defined."""
        return self.matched_images().numbers()

    def ap_at(self, iou: float) -> float:
        """AP at one of the IoU thresholds, over all classes; -1 where it is not among them."""
        return self.matched_images().ap_at(iou)

    def compute(self, *, resamples: int = 1000, seed: int = 0, level: float = 0.95) -> Report:
        """Everything: headline numbers with bootstrap intervals, each class, and the analyses where
        they were kept.

        resamples: bootstrap replicates; 0 for none, which is much faster. level: of the intervals,
            between 0 and 1.
        Raises: DataError where the policy refuses what was seen; UsageError for an argument that
            can't be.
        """
        check_resampling(resamples, seed, level)
        snapshot = self._snapshot()
        matched = self._matched_images_of(snapshot)
        return measure(
            matched,
            resamples=resamples,
            seed=seed,
            level=level,
            analyses=self.analyses,
            unmet=snapshot.unmet,
        )

    def by_image(self, attribute: str) -> dict[Any, dict[str, float]]:
        """The headline numbers of the images with each value of an image attribute, from the one
        matching.

        Raises: DataError where the data set's images have no such attribute.
        """
        attributes = self.dataset.image_attributes
        if attribute not in attributes:
            raise DataError(
                f"No slices by the image attribute '{attribute}'.",
                f"The images of {self.dataset.name} have these: {', '.join(attributes) or 'none'}.",
                "Name one of them, or give CocoSettings(slices=…) an attribute of the boxes.",
            )
        images, column = self.matched_images(), attributes[attribute]
        return {
            value: images.only(column == value).numbers() for value in np.unique(column).tolist()
        }


class _Snapshot(NamedTuple):
    """State of an evaluator at one moment."""

    outcomes: MatchRecords
    seen: NDArray[np.bool_]
    unmet: Counter[str]


def _restore(
    kind: type[Evaluator],
    state: bytes,
    dataset: GroundTruth,
    backend: BackendName,
    threads: int | None,
) -> Evaluator:
    """Restores an evaluator when unpickling."""
    return kind.from_state(state, dataset, backend=backend, threads=threads)


def _list_of(image_ids: Iterable[Any]) -> list[Any]:
    check_image_ids(image_ids)
    return image_ids.tolist() if hasattr(image_ids, "tolist") else list(image_ids)


_Given: TypeAlias = Sequence[object] | Mapping[str, Any] | FlatDetections


def _part(detections: _Given, start: int, stop: int) -> _Given:
    if isinstance(detections, FlatDetections):
        return detections.part(start, stop)
    if isinstance(detections, Mapping):
        return {column: values[start:stop] for column, values in detections.items()}
    return detections[start:stop]
