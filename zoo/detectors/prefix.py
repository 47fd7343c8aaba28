"""Checkpoints of wrapped models, whose tensor names all start with a prefix of DataParallel,
Lightning or torch.compile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from zoo.detectors.detector import Detector, translate_checkpoint
from zoo.errors import ContractError
from zoo.text import join_first

MAX_WRAPPERS = 5  # nested in one another
MAX_NAMES_SHOWN = 3  # tensors that were left out


@dataclass(frozen=True)
class Unwrapped:
    """A checkpoint without the prefix of its names.

    prefix:   for example `module.` or `_orig_mod.module.`.
    tensors:  the tensors whose names had the prefix, by the rest of the name.
    left_out: the names without the prefix, which the model does not have.
    """

    prefix: str
    tensors: dict[str, Tensor]
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        """Describes the removal in a sentence or two."""
        removal = (
            f"The names in the checkpoint begin with '{self.prefix[:100]}', which was taken off."
        )
        if not self.left_out:
            return removal
        return (
            f"{removal} Left out, because the model has no such tensor: "
            f"{join_first(self.left_out, MAX_NAMES_SHOWN)}."
        )


def without_prefix(detector: Detector, published: Mapping[str, Tensor]) -> Unwrapped | None:
    """The checkpoint without its prefix if its names are then exactly the detector's, else None."""
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
    """The prefix that most names share, then longer ones that start with it."""
    prefix = ""
    names = list(published)
    for _ in range(MAX_WRAPPERS):
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
    """The detector's names of these tensors, or None if its family can't translate them."""
    try:
        return set(
            translate_checkpoint(
                detector, {name: tensor.to("meta") for name, tensor in tensors.items()}
            )
        )
    except ContractError:  # a family may raise anything for names that it does not know
        return None
