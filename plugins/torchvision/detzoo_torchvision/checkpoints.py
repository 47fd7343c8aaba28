"""torchvision's names of tensors, old and new, under the names of the detectors here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from torch import Tensor

NETWORK_PREFIX = "net."
_COUNTER = ".num_batches_tracked"

# torchvision's names from before it put convolution, norm and activation into one block. Its
# modules rename them while loading (`_load_from_state_dict` in rpn.py, mask_rcnn.py, retinanet.py);
# a checkpoint is checked tensor by tensor before that.
_OLD: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"^rpn\.head\.conv\.(weight|bias)$"), lambda old: f"rpn.head.conv.0.0.{old[1]}"),
    (
        re.compile(r"(mask_head)\.mask_fcn(\d)\.(weight|bias)$"),
        lambda old: f"{old[1]}.{int(old[2]) - 1}.0.{old[3]}",
    ),
    (
        re.compile(r"^(head\.(?:classification|regression)_head)\.conv\.([0246])\.(weight|bias)$"),
        lambda old: f"{old[1]}.conv.{int(old[2]) // 2}.0.{old[3]}",
    ),
)


def rename_tensors(state: Mapping[str, Tensor], own: frozenset[str]) -> dict[str, Tensor]:
    """A published checkpoint under the names in `own`.

    A name that is already one of ours stays; counters of batches, which frozen norms have no place
    for, are left out.
    """
    ours = {_ours(name, own): tensor for name, tensor in state.items()}
    return {
        name: tensor for name, tensor in ours.items() if name in own or not name.endswith(_COUNTER)
    }


def _ours(name: str, own: frozenset[str]) -> str:
    if name in own:
        return name
    if NETWORK_PREFIX + name in own:
        return NETWORK_PREFIX + name
    for pattern, new in _OLD:
        if (candidate := NETWORK_PREFIX + pattern.sub(new, name)) in own:
            return candidate
    return name
