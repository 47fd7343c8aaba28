"""Checks of a card that its structs can't express: names, paths, licences, inputs, classes and
boxes."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from zoo.labels import builtin
from zoo.labels.builtin import OPEN
from zoo.labels.space import is_class_name, tidy
from zoo.paths import OutsideFolder, check_relative
from zoo.registry.card import (
    MODEL,
    Card,
    Drawing,
    Expectation,
    FileSource,
    HubSource,
    Input,
    Licenses,
    PackageImage,
    PackageSource,
    Source,
    UrlSource,
    Weights,
)
from zoo.registry.license import advice, is_identifier
from zoo.registry.requirements import is_requirement
from zoo.registry.schema import MODEL_NAME, NAME_PATTERN, check_name
from zoo.registry.yaml_document import Sheet, Step
from zoo.suggest import did_you_mean

_ARCHITECTURE = re.compile(rf"({NAME_PATTERN}/)?{NAME_PATTERN}")
_BELONGS = {
    HubSource: "Write a path in the repository, as in weights/model.safetensors.",
    PackageSource: "Write a path in the package's folder, as in weights/model.safetensors.",
    FileSource: (
        "Put the file in the folder of this one or below; or leave it out and load it with "
        'weights="file:PATH".'
    ),
}


def check_card(sheet: Sheet, name: str, card: Card, *, qualified: bool) -> None:
    """Checks what the structs can't express. Raises: CardError.

    qualified: the architecture has to name its plugin, because the file belongs to none.
    """
    at = ("cards", name)
    check_name(sheet, name, at=at)
    for tag in card.weights:
        check_name(sheet, tag, at=(*at, "weights", tag))
    if not _ARCHITECTURE.fullmatch(card.architecture) or (
        qualified and "/" not in card.architecture
    ):
        case = (
            f"'{card.architecture:.40}' is not "
            f"{'plugin/name' if qualified else 'plugin/name or name'}."
        )
        raise sheet.flaw(
            case, "Write for example 'torchvision/fasterrcnn'.", at=(*at, "architecture")
        )
    _check_references(sheet, card, at=at)
    _check_labels(sheet, card.labels, at=(*at, "labels"))
    if card.input:
        _check_input(sheet, card.input, at=(*at, "input"))
    _check_licenses(sheet, card.licenses, at=(*at, "licenses"))
    for tag, weights in card.weights.items():
        _check_weights(sheet, weights, at=(*at, "weights", tag))
        for number, expected in enumerate(weights.expects):
            _check_expectation(sheet, card, expected, at=(*at, "weights", tag, "expects", number))


def _check_references(sheet: Sheet, card: Card, *, at: tuple[Step, ...]) -> None:
    """Refuses a default, models and requirements that nothing can have the name of."""
    if card.default is not None and card.default not in card.weights:
        tags = ", ".join(card.weights) or "none at all"
        raise sheet.flaw(
            f"There are no weights '{card.default:.40}'.",
            f"Name one of: {tags}.",
            at=(*at, "default"),
        )
    for field in ("successor", "wraps"):
        other = getattr(card, field)
        if other is not None and not MODEL_NAME.fullmatch(other):
            case = f"'{other:.40}' is not a model's name."
            raise sheet.flaw(case, "Write name, name.tag or plugin/name.", at=(*at, field))
    for number, text in enumerate(card.requires):
        if not is_requirement(text):
            raise sheet.flaw(
                f"'{text:.60}' is not a requirement.",
                "Write a distribution or an extra, as in transformers>=4.50 or detzoo[plots].",
                at=(*at, "requires", number),
            )


def _check_input(sheet: Sheet, value: Input, *, at: tuple[Step, ...]) -> None:
    if flaw := input_flaw(value):
        raise sheet.flaw(flaw.case, flaw.fix, at=(*at, *flaw.at))


@dataclass(frozen=True)
class InputFlaw:
    """A flaw of an input policy, and what to write. at: where in it."""

    case: str
    fix: str
    at: tuple[Step, ...]


def input_flaw(value: Input) -> InputFlaw | None:
    """The first flaw: a deviation that no pixels can be divided by, or a shortest edge above the
    longest; None where there is none."""
    for number, each in enumerate(value.std or ()):
        if not 0 < each < math.inf:
            return InputFlaw(
                f"Pixels are divided by std, and {each:g} can't be a standard deviation.",
                "Write those that the network was trained with; std: [1, 1, 1] changes nothing.",
                ("std", number),
            )
    shortest, longest = value.size
    if value.resize == "shortest_edge" and shortest > longest:
        return InputFlaw(
            f"The shortest edge, {shortest}, is more than the longest, {longest}.",
            f"For shortest_edge, size is [shortest, longest]: [{longest}, {shortest}].",
            ("size",),
        )
    return None


def _check_licenses(sheet: Sheet, licenses: Licenses, *, at: tuple[Step, ...]) -> None:
    for subject in ("code", "weights", "data"):
        word = getattr(licenses, subject)
        if word is not None and not is_identifier(word):
            raise sheet.flaw(
                f"'{word:.60}' is not an SPDX identifier.", advice(word), at=(*at, subject)
            )


def _check_weights(sheet: Sheet, weights: Weights, *, at: tuple[Step, ...]) -> None:
    if MODEL not in weights.files:
        raise sheet.flaw(
            f"There is no file with the role '{MODEL}'.",
            "Say where the checkpoint is: files: {model: [SOURCE]}.",
            at=(*at, "files"),
        )
    _check_files(sheet, weights.files, at=(*at, "files"))
    _check_files(sheet, weights.artifacts, at=(*at, "artifacts"))
    if weights.licenses:
        _check_licenses(sheet, weights.licenses, at=(*at, "licenses"))
    for number, claim in enumerate(weights.claims):
        if claim.impossible:
            case = f"{claim.metric} is {claim.value:g}, and a share of one hundred."
            raise sheet.flaw(
                case, "Write it in percent, 0 to 100.", at=(*at, "claims", number, "value")
            )


def _check_files(
    sheet: Sheet, files: Mapping[str, Sequence[Source]], *, at: tuple[Step, ...]
) -> None:
    """Refuses roles (or formats) that can't be names, and files without a source."""
    for role, sources in files.items():
        check_name(sheet, role, at=(*at, role))
        if not sources:
            raise sheet.flaw(
                "There is no source.",
                "Say where the file can be had, or take it out.",
                at=(*at, role),
            )
        for number, source in enumerate(sources):
            _check_source(sheet, source, at=(*at, role, number))


def _check_expectation(
    sheet: Sheet, card: Card, expected: Expectation, *, at: tuple[Step, ...]
) -> None:
    """Refuses boxes that lie outside of a drawing or are none, and classes that the card does not
    have."""
    if isinstance(expected.image, PackageImage):
        try:
            check_relative(expected.image.file)
        except OutsideFolder as error:
            raise sheet.flaw(
                f"{error}.", _BELONGS[PackageSource], at=(*at, "image", "file")
            ) from None
    names = _class_names(card)
    for number, box in enumerate(expected.boxes):
        left, top, right, bottom = box.box
        here = (*at, "boxes", number)
        if not (0 <= left < right < math.inf and 0 <= top < bottom < math.inf):
            raise sheet.flaw(
                "A box ends before it begins.",
                "Write [x1, y1, x2, y2] in pixels.",
                at=(*here, "box"),
            )
        if isinstance(expected.image, Drawing) and (
            bottom > expected.image.size[0] or right > expected.image.size[1]
        ):
            raise sheet.flaw(
                "A box leaves the drawing.",
                "Its size is [height, width]; a box is [x1, y1, x2, y2].",
                at=(*here, "box"),
            )
        if names is not None and box.label not in names:
            raise sheet.flaw(
                f"'{box.label:.40}' is not a class of the card.",
                "Name one of its labels.",
                at=(*here, "label"),
            )


def _class_names(card: Card) -> set[str] | None:
    """The classes of a card; None if it is told them when it is loaded."""
    if isinstance(card.labels, list):
        return set(map(tidy, card.labels))
    return None if card.labels == OPEN else set(builtin.space_of(card.labels).names)


def _check_source(sheet: Sheet, source: Source, *, at: tuple[Step, ...]) -> None:
    """Refuses URLs that name no server, and paths that lead out of the repository, the package or
    the card's folder."""
    if isinstance(source, UrlSource):
        if not host_of(source.url):
            raise sheet.flaw(
                f"'{source.url:.80}' names no server.",
                "Write https://, the server's name and the path.",
                at=(*at, "url"),
            )
        return
    field = "path" if isinstance(source, FileSource) else "file"
    try:
        check_relative(getattr(source, field))
    except OutsideFolder as error:
        raise sheet.flaw(f"{error}.", _BELONGS[type(source)], at=(*at, field)) from None


def host_of(url: str) -> str | None:
    """The name of the server in a URL, or None."""
    try:
        return urlsplit(url).hostname
    except ValueError:  # brackets without an address of IPv6 in them
        return None


def _check_labels(sheet: Sheet, labels: str | list[str], *, at: Sequence[Step]) -> None:
    if isinstance(labels, str):
        spaces = (*builtin.names(), OPEN)
        if labels not in spaces:
            fix = did_you_mean(labels, spaces, otherwise=f"There are {', '.join(spaces)}.")
            raise sheet.flaw(
                f"No label space is called '{labels:.40}'.",
                f"{fix} Or list the class names.",
                at=at,
            )
        return
    names = list(map(tidy, labels))
    if not all(names):
        raise sheet.flaw("A class name is empty.", "Give every class a name.", at=at)
    for label, name in enumerate(names):
        if not is_class_name(name):
            case = f"The class {name!r:.60} has control characters in it."
            raise sheet.flaw(case, "Take them out of its name.", at=(*at, label))
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise sheet.flaw(
            f"The class '{twice:.40}' is listed twice.",
            "Give every class a name of its own.",
            at=at,
        )
    if not labels:
        raise sheet.flaw(
            "The list of classes is empty.", "List the class names, or name a label space.", at=at
        )
