"""A session is whatever runs a graph; the zoo's own keep to it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from zoo.contract.session import Session


class Doubling:
    version = "1.0"

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        return [2 * inputs["pixels"]]


def test_a_callable_with_a_version_is_one() -> None:
    session: Session = Doubling()
    (doubled,) = session({"pixels": torch.ones(2)})
    assert doubled.tolist() == [2, 2]
    assert session.version == "1.0"


def test_the_contract_asks_for_no_more() -> None:
    public = {name for name in vars(Session) if not name.startswith("_")} | set(
        inspect.get_annotations(Session)
    )
    assert public == {"version"}
    assert list(inspect.signature(Session.__call__).parameters) == ["self", "inputs"]
