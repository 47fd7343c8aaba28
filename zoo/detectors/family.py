"""Calls a family's own code for its weights and classes; what that raises names the family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from zoo.contract import ClassLayer
from zoo.detectors.detector import Detector
from zoo.errors import ContractError, ZooError
from zoo.inference.defect_owner import defect_owner
from zoo.registry.containment import said
from zoo.text import type_name


@contextmanager
def contained(
    detector: object, step: str, *, asked: str, shown: str = "its card"
) -> Iterator[None]:
    """Makes a ContractError of what the family's code raises, also where it wants to end the
    process.

    Errors of the zoo, interrupts and a lack of memory are nobody's defect and stay what they are.
    """
    try:
        yield
    except (ZooError, KeyboardInterrupt, MemoryError, torch.OutOfMemoryError):
        raise
    except BaseException as why:
        raise ContractError(
            asked, f"Its {step} {said(why).rstrip('.')}.", defect_owner(detector, shown=shown)
        ) from why


def translated(detector: Detector, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint's tensors under the detector's own names. Raises: ContractError where the family
    fails at that."""
    asked = (
        f"The {len(published):,} tensors of a checkpoint can't be translated for {_name(detector)}."
    )
    with contained(detector, "from_checkpoint", asked=asked, shown="the checkpoint"):
        state: object = detector.from_checkpoint(published)
    if not isinstance(state, Mapping) or not all(map(_is_tensor, state.items())):
        case = (
            f"Its from_checkpoint returned {type_name(state)}, not a mapping of names to tensors."
        )
        raise ContractError(asked, case, defect_owner(detector, shown="the checkpoint"))
    return dict(state)


def class_layers(detector: Detector) -> Sequence[ClassLayer] | None:
    """The layers that have rows for classes, as the family says. Raises: ContractError where it
    fails at that."""
    asked = f"The class layers of {_name(detector)} can't be found."
    with contained(detector, "class_layers", asked=asked):
        given: object = detector.class_layers()
        layers = given if given is None or not isinstance(given, Sequence) else list(given)
    if layers is None or (
        isinstance(layers, list) and all(isinstance(one, ClassLayer) for one in layers)
    ):
        return layers
    raise ContractError(
        asked,
        f"Its class_layers returned {type_name(given)}, not a list of ClassLayer.",
        defect_owner(detector, shown="its card"),
    )


def post_load(detector: Detector, settings: Mapping[str, Any]) -> None:
    """Sets what the card says the checkpoint does not carry. Raises: ContractError where the family
    fails at that."""
    with contained(
        detector, "post_load", asked=f"{_name(detector)} can't be set up after loading."
    ):
        detector.post_load(settings)


def _is_tensor(pair: tuple[object, object]) -> bool:
    return isinstance(pair[0], str) and isinstance(pair[1], Tensor)


def _name(detector: Detector) -> str:
    return getattr(detector, "name", None) or type(detector).__name__
