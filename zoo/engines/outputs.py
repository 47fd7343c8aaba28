"""Converts a network's outputs, the family's pytree, to the named tensors of a graph, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import compress
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from zoo.contract import Batch
from zoo.detectors.detector import Detector
from zoo.errors import ExportError
from zoo.registry.exported import Leaf

_INDEX = re.compile(r"\[['\"]?([^\]'\"]+)['\"]?\]")
SINGLE_OUTPUT = "output"  # the name of outputs that are one tensor


class FlatNetwork(nn.Module):
    """A detector's `forward` with only tensors as inputs and outputs, as exporters need it.

    leaves: of its outputs; numbers among them may be tensors during tracing.
    extras: the names of the batch's tensors other than pixels.
    """

    def __init__(
        self, detector: Detector, leaves: Sequence[Leaf], extras: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.detector = detector
        self._named = [leaf.name is not None for leaf in leaves]
        self._extras = tuple(extras)

    def forward(self, pixels: Tensor, *extras: Tensor) -> tuple[Tensor, ...]:
        """The tensors among the outputs, in the order of the pytree."""
        batch = Batch(pixels, (), dict(zip(self._extras, extras, strict=True)))
        leaves = pytree.tree_leaves(self.detector(batch))
        return tuple(compress(leaves, self._named))


def tensors_of(outputs: Any) -> list[Tensor]:
    """The tensors of a pytree, in its order."""
    return [leaf for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, Tensor)]


def leaves_of(outputs: Any, more: Any = None) -> list[Leaf]:
    """Each leaf: a tensor by its name in the outputs (`heads.cls_logits`), anything else by value.

    more: the outputs for a larger batch, which show which tensors have a row per image.

    Raises: ExportError for a leaf that a file can't hold.
    """
    leaves = []
    others = pytree.tree_leaves(more)
    for position, (path, leaf) in enumerate(pytree.tree_flatten_with_path(outputs)[0]):
        name = _INDEX.sub(r".\1", pytree.keystr(path)).strip(".") or SINGLE_OUTPUT
        if isinstance(leaf, Tensor):
            leaves.append(Leaf(name=name, by_image=_grows(leaf, others[position:])))
        elif isinstance(leaf, bool | int | float):
            leaves.append(Leaf(value=leaf))
        else:
            raise ExportError(
                "The network's outputs can't be exported.",
                f"'{name}' among them is of the type {type(leaf).__name__}.",
                "Make it a tensor, a number or a flag.",
            )
    return leaves


def _grows(tensor: Tensor, larger: Sequence[Any]) -> bool:
    """Whether a tensor has another number of rows than the first of `larger`, the same leaf for a
    larger batch."""
    like = larger[0] if larger else None
    return isinstance(like, Tensor) and tensor.dim() > 0 and len(tensor) != len(like)


class OutputLayout:
    """Rebuilds the outputs of a network from the tensors of its graph.

    leaves, structure: from the exported file, for inputs of `size`.
    network: on the meta device; run for inputs of other sizes, to learn the structure of outputs.
    by_image: whether each tensor has a row per image.
    """

    def __init__(
        self, leaves: Sequence[Leaf], structure: str, size: tuple[int, int], network: Detector
    ) -> None:
        self._known = {size: (list(leaves), pytree.treespec_loads(structure))}
        self.by_image = [leaf.by_image for leaf in leaves if leaf.name is not None]
        self._network = network

    def rebuild(self, tensors: Sequence[Tensor], batch: Batch) -> Any:
        """The network's outputs for that batch, made of these tensors."""
        leaves, structure = self._at(batch)
        values = iter(tensors)
        filled = [next(values) if leaf.name is not None else leaf.value for leaf in leaves]
        return pytree.tree_unflatten(filled, structure)

    def _at(self, batch: Batch) -> tuple[list[Leaf], Any]:
        height, width = batch.pixels.shape[-2:]
        if (height, width) not in self._known:
            with torch.inference_mode():
                outputs = self._network(batch.to("meta"))
            self._known[height, width] = leaves_of(outputs), pytree.tree_structure(outputs)
        return self._known[height, width]
