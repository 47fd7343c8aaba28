"""The card inside an exported file, so that the file loads like any other model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import torch
from msgspec import structs

from zoo.detectors import Composed, Detector
from zoo.detectors.composed import card_of_composed
from zoo.detectors.engine_request import EngineRequest
from zoo.errors import UsageError
from zoo.labels.builtin import OPEN, labels_of_card, space_of, warn_of_lost_ids
from zoo.registry import Choice, Entry
from zoo.registry.card import MODEL, FileSource, Weights
from zoo.registry.registry_file import USER
from zoo.weights import WeightsFile
from zoo.weights.resolve import Resolved

OWN_TAG = "own"  # tag of weights that are not the card's
COMPOSED = "composed"


def choice_of(detector: Detector) -> Choice:
    """A card that rebuilds this detector, with its set of weights, or none if they are random.
    Warns of class ids that a card can't hold.

    Raises: UsageError for a detector without a card.
    """
    warn_of_lost_ids(detector.label_space)
    loaded = detector.choice
    if loaded is None:
        if not isinstance(detector, Composed):
            raise UsageError(
                f"A detector of the type {type(detector).__name__} can't be exported.",
                "It was built without a card.",
                "Load it by a name, or give it a card in a registry file.",
            )
        return Choice(Entry(COMPOSED, USER, card_of_composed(detector), ""), None, None)
    card = loaded.entry.card
    if card.labels == OPEN or space_of(card.labels) != detector.label_space:
        card = structs.replace(card, labels=labels_of_card(detector.label_space))
    entry = replace(loaded.entry, card=structs.replace(card, weights={}, default=None))
    if detector.weights is None:
        return Choice(entry, None, None)
    tag, weights = _weights_of(detector, detector.weights, loaded, same=card is loaded.entry.card)
    complete_card = structs.replace(entry.card, weights={tag: weights}, default=tag)
    return Choice(replace(entry, card=complete_card), tag, weights)


def _weights_of(
    detector: Detector, file: WeightsFile, loaded: Choice, *, same: bool
) -> tuple[str, Weights]:
    """Tag and description of a detector's weights. same: whether its classes are the card's."""
    settings = loaded.weights.post_load if loaded.weights else {}
    if same and loaded.weights and loaded.tag and detector.name == loaded.name:
        return loaded.tag, loaded.weights
    source = FileSource(path=PurePath(file.published).name, sha256=file.sha256)
    return OWN_TAG, Weights(files={MODEL: [source]}, post_load=settings)


def request_for(detector: Detector, choice: Choice, engine: str) -> EngineRequest:
    """The request for an engine that runs an exported file of this detector."""
    space = detector.label_space
    resolved = Resolved(choice, {}, choice.weights)
    return EngineRequest(engine, resolved, space, space, torch.device("cpu"))
