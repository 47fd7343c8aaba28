"""A trained model in a repository of the Hub: `hub:org/name[@REVISION]`, with a card and
weights, as `zoo push` puts them there.

The card is a file like any other: pinned to a commit, verified, obeyed where the lock file names
it, and found without a network once it was fetched. What it says of files in its own repository is
pinned to the same commit. Nothing in a repository is code that is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from msgspec import structs

from zoo.errors import NameNotFound
from zoo.registry import Catalogue, Choice
from zoo.registry.card import Card, FileSource, HubSource, Source, Weights
from zoo.registry.folder import CARD, HUB_PREFIX, read_card
from zoo.weights.lock import Lock, pinned_source
from zoo.weights.records import CARD_ROLE, WeightsFile, WeightsRequest
from zoo.weights.revision import NoSuchFile, pin_revision
from zoo.weights.sources import HubSpec, parse_source


def hub_model(
    models: Catalogue, name: str, lock: Lock, *, fetch: Callable[[WeightsRequest], WeightsFile]
) -> Choice:
    """The model in a repository, by `hub:org/name[@REVISION]`; called as it is typed.

    lock:  to obey.
    fetch: gives the verified file of a request.

    Raises:
        NameNotFound: it names a file, or the card a plugin that is not loaded.
        WeightsError: the card can't be had. CardError: it is invalid.
    """
    request, source = _card_request(name, lock)
    file = fetch(request)
    choice = models.choice_of(read_card(file.path), name)
    owner, _, short = name.removeprefix(HUB_PREFIX).partition("/")
    card = _in_repository(choice.entry.card, source)
    entry = replace(choice.entry, name=short, plugin=f"{HUB_PREFIX}{owner}", card=card, line=None)
    entry = replace(entry, origin=file.source)
    return Choice(entry, choice.tag, card.weights[choice.tag] if choice.tag else None)


def card_request(name: str, lock: Lock) -> WeightsRequest:
    """The request for the card, so that a lock file or a bundle holds it as well."""
    return _card_request(name, lock)[0]


def _card_request(name: str, lock: Lock) -> tuple[WeightsRequest, HubSource]:
    if not re.fullmatch(r"hub:[^/\s]+/\S+", name):
        raise NameNotFound(
            f"No model named '{name}'.",
            "A model on the Hub is called by its repository.",
            "Write hub:OWNER/NAME, or hub:OWNER/NAME@REVISION.",
        )
    place = parse_source(name)
    if not isinstance(place, HubSpec) or place.file:
        raise NameNotFound(
            f"No model named '{name}'.",
            "That is a file on the Hub; a model is a whole repository, with a card.",
            f'Leave the file out; or name the network: zoo.load("yolox_nano", weights="{name}")',
            fix_cli=f"Leave the file out; or name the network: --model yolox_nano --weights {name}",
        )
    request = WeightsRequest(name, None, Weights(files={}), placed=True, role=CARD_ROLE)
    place = replace(place, file=CARD)
    pin = lock.pins.get(request.entry)
    fixed = pinned_source(place, pin) if pin else place
    try:
        source = pin_revision(fixed) if isinstance(fixed, HubSpec) else fixed
    except NoSuchFile as error:
        raise _no_card(name) from error
    assert isinstance(source, HubSource)  # of a pin, `pinned` has looked
    return replace(request, weights=Weights(files={CARD_ROLE: [source]})), source


def _no_card(name: str) -> NameNotFound:
    return NameNotFound(
        f"No model named '{name}'.",
        f"That repository has no {CARD}: it was not made by zoo push.",
        f'Use its weights with a network of the zoo: zoo.load("yolox_nano", weights="{name}")',
        fix_cli=f"Use its weights with a network of the zoo: --model yolox_nano --weights {name}",
    )


def _in_repository(card: Card, place: HubSource) -> Card:
    """The card with its own files as files of the repository at that commit."""

    def every(files: Mapping[str, list[Source]]) -> dict[str, list[Source]]:
        return {
            key: [_pinned_source(source, place) for source in sources]
            for key, sources in files.items()
        }

    weights = {
        tag: structs.replace(
            weights, files=every(weights.files), artifacts=every(weights.artifacts)
        )
        for tag, weights in card.weights.items()
    }
    return structs.replace(card, weights=weights)


def _pinned_source(source: Source, place: HubSource) -> Source:
    if not isinstance(source, FileSource):
        return source
    return HubSource(
        repo=place.repo, revision=place.revision, file=source.path, sha256=source.sha256
    )
