"""Checks of the card, by which users choose a model: licence, classes, size, sources, claims."""

from __future__ import annotations

import torch

from zoo.errors import ZooError
from zoo.labels.builtin import OPEN, space_of
from zoo.registry.card import MODEL
from zoo.testing.conformance.errors import ConformanceError, NotApplicable, require
from zoo.testing.conformance.model import Model


def check_card_says_what_it_is(model: Model) -> None:
    """The card has a family and a summary, which `zoo list` and `zoo show` print."""
    card = model.need_card()
    missing = [field for field in ("family", "summary") if not (getattr(card, field) or "").strip()]
    require(not missing, f"The card has no {' and no '.join(missing)}.")


def check_card_has_a_licence(model: Model) -> None:
    """The card names the licence of the code; that of weights or data is null if none was
    published."""
    require(
        bool(model.need_card().licenses.code),
        "The card names no licence of the code: licenses: {code: …}.",
    )


def check_card_has_labels(model: Model) -> None:
    """The card's label space exists."""
    labels = model.need_card().labels
    if labels == OPEN:
        return
    try:
        space_of(labels)
    except ZooError as error:
        raise ConformanceError(f"The card's labels are none: {error.case}") from error


def check_card_declares_its_input(model: Model) -> None:
    """The card says how images are preprocessed."""
    require(model.need_card().input is not None, "The card has no input: {resize: …, size: …}.")


def check_card_counts_parameters(model: Model) -> None:
    """The card's number of parameters is that of the network built with the card's arguments."""
    card, full = model.need_card(), model.full or model
    with torch.device("meta"):
        counted = sum(parameter.numel() for parameter in full.make(model.label_space).parameters())
    if card.parameters is None:
        raise NotApplicable(
            f"The card does not give a number of parameters; the network has {counted:,}."
        )
    require(
        counted == card.parameters,
        f"The card says {card.parameters:,} parameters; the network has {counted:,}.",
    )


def check_claims_have_sources(model: Model) -> None:
    """Every claim names the source that published it."""
    sets = model.need_card().weights
    bare = [
        f"{tag}: {claim.metric}"
        for tag, weights in sets.items()
        for claim in weights.claims
        if not claim.source.strip()
    ]
    require(not bare, f"Claims without a source: {', '.join(bare)}.")


def check_weights_have_sources(model: Model) -> None:
    """Every set of weights names at least one source."""
    sets = model.need_card().weights
    if not sets:
        raise NotApplicable("The card has no weights.")
    nowhere = [tag for tag, weights in sets.items() if not weights.files.get(MODEL)]
    require(not nowhere, f"Weights without a source: {', '.join(nowhere)}.")
