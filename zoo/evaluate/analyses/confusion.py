"""Which classes are taken for which, at one score threshold and IoU .5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.analyses.matches import Matches
from zoo.evaluate.coco.problem import ANALYSED_IOU
from zoo.text import pluralize


@dataclass(frozen=True, repr=False)
class Confusion:
    """How often each class is detected as which, for detections of at least `score`.

    cells: (true class, detected class, how often) for every pair that occurs; None stands for the
        background.
    """

    score: float
    cells: tuple[tuple[str | None, str | None, int], ...]

    def __repr__(self) -> str:
        count = pluralize(len(self.cells), "pair")
        return f"Confusion(score={self.score:.3g}, {count}; all in .cells)"

    def matrix(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """(k + 1, k + 1) counts, rows true, columns detected, the background last."""
        place = {name: row for row, name in enumerate(names)} | {None: len(names)}
        matrix = np.zeros((len(place), len(place)), np.int64)
        for true, detected, count in self.cells:
            matrix[place[true], place[detected]] = count
        return matrix


def confusion(matches: Matches, names: tuple[str, ...], *, score: float) -> Confusion:
    """The confusion at a threshold.

    COCO's matching goes first, and holds for every threshold, because a better detection never
    loses its box to a worse one. A detection that it leaves over is confused with the box of
    another class that it overlaps most, where that is .5 or more and the box is left over too; best
    detection first, each box once. The rest is background.
    """
    background = len(names)
    selected = matches.counted & (matches.scores >= score)
    true = selected & matches.true
    free = matches.missed.copy()
    # found only by detections that the threshold takes out
    free[matches.boxes[matches.true & ~true, 0]] = True
    wrong = np.flatnonzero(selected & ~true)
    claims = (
        wrong[(matches.ious[wrong, 1] >= ANALYSED_IOU) & free[matches.boxes[wrong, 1]]]
        if len(free)
        else wrong[:0]
    )
    claims = claims[np.argsort(-matches.scores[claims], kind="stable")]
    boxes, first = np.unique(matches.boxes[claims, 1], return_index=True)
    confused = claims[first]
    free[boxes] = False
    truth = np.concatenate([matches.labels[true], matches.box_labels[boxes]])
    detected = np.concatenate([matches.labels[true], matches.labels[confused]])
    selected[confused] = False
    alone = np.flatnonzero(selected & ~true)
    lost = matches.box_labels[free]
    pairs = np.concatenate(
        [
            np.stack([truth, detected], axis=1),
            np.stack([np.full(len(alone), background), matches.labels[alone]], axis=1),
            np.stack([lost, np.full(len(lost), background)], axis=1),
        ]
    )
    keys, counts = np.unique(pairs @ [background + 1, 1], return_counts=True)
    named = (*names, None)
    cells = []
    for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
        a, b = divmod(key, background + 1)
        cells.append((named[a], named[b], count))
    return Confusion(score, tuple(cells))
