"""The weights with a tag, of a model in a folder or a repository, whose name has no tag."""

from __future__ import annotations

from zoo.errors import NameNotFound
from zoo.registry import Choice
from zoo.registry.exported import FORMATS
from zoo.suggest import close_matches


def with_tag(choice: Choice, name: str, tag: str) -> Choice:
    """The same model with the weights of that tag; an exported file, which is its own weights,
    stays as it is.

    name: as it was typed, `file:FOLDER` or `hub:org/name`.

    Raises: NameNotFound where its card has no such tag.
    """
    if choice.entry.origin.endswith(tuple(FORMATS)):
        return choice
    weights = choice.entry.card.weights.get(tag)
    if weights is None:
        raise _no_tag(list(choice.entry.card.weights), name, tag)
    return Choice(choice.entry, tag, weights)


def _no_tag(tags: list[str], name: str, tag: str) -> NameNotFound:
    failure = f"The weights '{tag}' of the model '{name}' can't be used."
    if not tags:
        return NameNotFound(
            failure,
            "Its card has no weights.",
            f'For random weights: zoo.load("{name}", weights=False)',
            fix_cli="For random weights: --weights random",
        )
    near = (close_matches(tag, tags) or tags)[0]
    return NameNotFound(
        failure,
        f"No weights on its card have that tag; it has {', '.join(tags)}.",
        f'Name one of those: zoo.load("{name}", weights="{near}")',
        fix_cli=f"Name one of those: --weights {near}",
    )
