"""Summary of a card: the facts that listing, searching and `--where` need, small enough to read ten
thousand at once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from zoo import labels
from zoo.labels.builtin import OPEN
from zoo.labels.space import tidy
from zoo.registry.card import Card, Claim, Weights

CUSTOM = "custom"


class CardSummary(msgspec.Struct, frozen=True, array_like=True, gc=False, kw_only=True):
    """One card in a listing; null is unknown.

    architecture: qualified, `plugin/name`.
    labels:       the label space's name, `custom` for a list of class names, or `open`.
    listed:       the class names of such a list, one per line: quicker to read than a tuple.
    resize, size: as in the card's `input`.
    megabytes, ap, ap50: of the default weights; average precision in percent as claimed on COCO
        val2017, boxes.
    code_license, weights_license: SPDX identifiers, the weights' own where they state one.
    successor: the model to use instead.
    """

    name: str
    plugin: str
    line: int | None
    architecture: str
    family: str | None
    labels: str
    listed: str | None
    resize: str | None
    size: tuple[int, int] | None
    parameters: int | None
    gflops: float | None
    tags: tuple[str, ...]
    default: str | None
    megabytes: float | None
    ap: float | None
    ap50: float | None
    code_license: str | None
    weights_license: str | None
    successor: str | None

    @property
    def qualified(self) -> str:
        """`plugin/name`, which is never ambiguous."""
        return f"{self.plugin}/{self.name}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names in label order; none if it is told its classes when it is loaded."""
        if self.listed is not None:
            return tuple(self.listed.split("\n"))
        return () if self.labels == OPEN else labels.get(self.labels).names

    @property
    def classes(self) -> int | None:
        """The number of classes; None if it is told them when it is loaded."""
        return None if self.labels == OPEN else len(self.class_names)


def summary_of(name: str, card: Card, *, plugin: str, line: int | None) -> CardSummary:
    """The summary of one card."""
    weights = card.default_weights()
    licenses = card.licenses_of(weights)
    return CardSummary(
        name=name,
        plugin=plugin,
        line=line,
        architecture=card.architecture,
        family=card.family,
        labels=card.labels if isinstance(card.labels, str) else CUSTOM,
        listed=None if isinstance(card.labels, str) else "\n".join(map(tidy, card.labels)),
        resize=card.input.resize if card.input else None,
        size=(card.input.size[0], card.input.size[1]) if card.input else None,
        parameters=card.parameters,
        gflops=card.gflops,
        tags=tuple(card.weights),
        default=card.default or next(iter(card.weights), None),
        megabytes=weights.megabytes if weights else None,
        ap=_claim_on_coco(weights, "AP"),
        ap50=_claim_on_coco(weights, "AP50"),
        code_license=licenses.code,
        weights_license=licenses.weights,
        successor=card.successor,
    )


def _claim_on_coco(weights: Weights | None, metric: str) -> float | None:
    """The first such claim on COCO val2017; numbers on other data sets don't belong into one column
    with it."""
    claims: Iterable[Claim] = weights.claims if weights else ()
    return next(
        (
            claim.value
            for claim in claims
            if claim.metric == metric and claim.dataset == "coco_val2017"
        ),
        None,
    )
