"""Checkpoints of wrapped models: one prefix before every name, as DataParallel, Lightning and
torch.compile leave it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from zoo.detectors.detector import Detector, translated
from zoo.errors import ContractError
from zoo.text import listed

DEPTH = 5  # wrappers in one another
SHOWN = 3


@dataclass(frozen=True)
class Unwrapped:
    """A checkpoint without the prefix of its names.

    prefix:   as in `module.` or `_orig_mod.module.`.
    tensors:  what had the prefix, under the rest of its name.
    left_out: the names of what had not, which the model has no place for.
    """

    prefix: str
    tensors: dict[str, Tensor]
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        """Describes the removal in a sentence or two."""
        done = f"The names in the checkpoint begin with '{self.prefix[:100]}', which was taken off."
        if not self.left_out:
            return done
        return (
            f"{done} Left out, because the model has no such tensor: "
            f"{listed(self.left_out, SHOWN)}."
        )


def without_prefix(detector: Detector, published: Mapping[str, Tensor]) -> Unwrapped | None:
    """The checkpoint without its prefix, where that has exactly the names of the detector; else
    None."""
    own = set(detector.state_dict())
    for prefix in _prefixes(published):
        tensors = {
            name.removeprefix(prefix): tensor
            for name, tensor in published.items()
            if name.startswith(prefix)
        }
        if _names(detector, tensors) == own:
            return Unwrapped(
                prefix, tensors, tuple(name for name in published if not name.startswith(prefix))
            )
    return None


def _prefixes(published: Mapping[str, Tensor]) -> Iterator[str]:
    """The prefix that most names share, then the longer ones below it."""
    prefix = ""
    names = list(published)
    for _ in range(DEPTH):
        heads = Counter(
            name[len(prefix) :].partition(".")[0] for name in names if "." in name[len(prefix) :]
        )
        if not heads:
            return
        head, count = heads.most_common(1)[0]
        if 2 * count <= len(published):
            return
        prefix += f"{head}."
        names = [name for name in names if name.startswith(prefix)]
        yield prefix


def _names(detector: Detector, tensors: Mapping[str, Tensor]) -> set[str] | None:
    """The detector's names of these tensors, or None where its family can't read them."""
    try:
        return set(
            translated(detector, {name: tensor.to("meta") for name, tensor in tensors.items()})
        )
    except ContractError:  # a family may raise what it likes over names that are not its own
        return None
