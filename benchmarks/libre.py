"""YOLOX-Nano in LibreYOLO, on the very weights that the zoo has: a peer for `engines.py`, where it
is installed (`pip install libreyolo`)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from detect import WEIGHTS
from safetensors.torch import load_file
from torch import Tensor

EPSILON = 1e-3  # of YOLOX's batch norms
BIAS = ".conv.bias"


@dataclass(frozen=True)
class Found:
    """What LibreYOLO found in one image, as `Detections` names it."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


def checkpoint(to: Path) -> Path:
    """The published weights as YOLOX stores them: with batch norms, here of no effect, since the
    file has them folded into its convolutions."""
    state = load_file(WEIGHTS)
    for name in [name for name in state if name.endswith(BIAS)]:
        bias, norm = state.pop(name), name.removesuffix("conv.bias") + "bn"
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.ones_like(bias), bias
        state[f"{norm}.running_mean"] = torch.zeros_like(bias)
        state[f"{norm}.running_var"] = torch.full_like(bias, 1 - EPSILON)
        state[f"{norm}.num_batches_tracked"] = torch.tensor(0)
    torch.save({"model": state}, to)
    return to


def distributions() -> list[str]:
    """What a table names with its version, where it is installed."""
    return [] if find_spec("libreyolo") is None else ["libreyolo"]


def predictor(score: float, iou: float) -> Callable[[Sequence[Path]], list[Found]] | None:
    """What looks at files, one after the other, as its documentation does; None where it or the
    weights are missing."""
    if not distributions() or not WEIGHTS.is_file():
        return None
    from libreyolo import LibreYOLOX  # deferred: it takes seconds, and may not be there

    with tempfile.TemporaryDirectory() as folder:
        file = checkpoint(Path(folder) / "LibreYOLOXn.pt")
        model = LibreYOLOX(str(file), size="n", device="cpu")

    def found(file: Path) -> Found:
        boxes = model(str(file), conf=score, iou=iou).boxes
        return Found(boxes.xyxy.cpu(), boxes.conf.cpu(), boxes.cls.long().cpu())

    return lambda files: [found(file) for file in files]
