"""A small composed detector, and compositions that are refused."""

from __future__ import annotations

import pytest

import zoo
from zoo.detectors import Composed
from zoo.errors import ContractError, UsageError

SMALL = {"resize": "letterbox", "size": [64, 96]}


def helmets() -> Composed:
    return zoo.compose(
        backbone="torchvision/mobilenet_v3_small",
        neck="bifpn",
        head="retinanet",
        labels=["helmet", "vest"],
        input=SMALL,
        neck_arguments={"channels": 32, "layers": 1},
    )


def refused(**parts: object) -> ContractError | UsageError:
    with pytest.raises((ContractError, UsageError)) as caught:
        zoo.compose(labels=["a", "b"], **parts)  # type: ignore[arg-type]
    return caught.value
