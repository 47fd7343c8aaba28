"""Requirements of a card: distributions and extras that have to be installed for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from zoo.errors import MissingExtra
from zoo.registry.card import Card
from zoo.text import is_are

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from packaging.requirements import Requirement

# A name, extras and versions: it is printed after `pip install`, so no address and no option.
_FORM = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w., -]+\])?[\w.,<>=!~* ]*")


def is_requirement(text: str) -> bool:
    """Whether a text names a distribution, with extras and versions or without."""
    from packaging.requirements import InvalidRequirement, Requirement  # deferred: few cards

    if not _FORM.fullmatch(text):
        return False
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def check_requirements(card: Card, name: str) -> None:
    """Raises: MissingExtra if something that the card requires is not installed."""
    missing = unmet(card.requires)
    if missing:
        from shlex import quote

        raise MissingExtra(
            f"'{name}' can't be loaded.",
            f"It requires {', '.join(missing)}, which {is_are(len(missing))} not installed.",
            f"pip install {' '.join(map(quote, missing))}",
        )


def unmet(requires: Iterable[str]) -> list[str]:
    """Filters the requirements that are missing, or installed in another version."""
    requires = list(requires)
    if not requires:
        return []
    from packaging.requirements import Requirement

    return [text for text in requires if not _is_met(Requirement(text), set())]


def _is_met(requirement: Requirement, checked: set[str]) -> bool:
    """Whether a requirement is installed with its extras; `checked` are those seen already."""
    from importlib.metadata import PackageNotFoundError, distribution  # deferred: few cards

    try:
        installed = distribution(requirement.name)
    except PackageNotFoundError:
        return False
    if not requirement.specifier.contains(installed.version, prereleases=True):
        return False
    for extra in requirement.extras:
        for needed in _of_extra(installed, extra):
            if str(needed) not in checked:
                checked.add(str(needed))
                if not _is_met(needed, checked):
                    return False
    return True


def _of_extra(installed: Distribution, extra: str) -> Iterator[Requirement]:
    """The requirements that an extra of a distribution adds."""
    from packaging.requirements import Requirement

    for text in installed.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}):
            yield requirement
