"""Outputs as tensors by name, and back."""

from __future__ import annotations

import pytest
import torch
from torch.utils import _pytree as pytree

from zoo.contract import Batch
from zoo.detectors import Detector
from zoo.engines.engine import Engine
from zoo.engines.outputs import FlatNetwork, OutputLayout, leaves_of, tensors_of
from zoo.errors import ExportError
from zoo.registry.exported import Leaf


def test_leaves_have_the_names_of_the_outputs() -> None:
    outputs = {"boxes": [torch.zeros(2, 4)], "cells": (4, True)}
    assert leaves_of(outputs) == [Leaf(name="boxes.0"), Leaf(value=4), Leaf(value=True)]
    assert leaves_of(torch.zeros(1)) == [Leaf(name="output")]
    assert [tuple(tensor.shape) for tensor in tensors_of(outputs)] == [(2, 4)]


def test_outputs_that_are_a_list_an_image_have_leaves_of_their_own() -> None:
    rows = torch.zeros(2, 4)
    assert leaves_of([rows, rows], [rows, rows, rows]) == [Leaf(name="0"), Leaf(name="1")]
    assert leaves_of([rows, 4], [4]) == [Leaf(name="0"), Leaf(value=4)]


def test_a_text_among_the_outputs_can_t_be_exported() -> None:
    with pytest.raises(ExportError, match="of the type str"):
        leaves_of({"kind": "dense"})


def test_a_flat_network_returns_its_tensors(pico: Detector) -> None:
    batch = pico.preprocess([torch.zeros(3, 40, 60, dtype=torch.uint8)])
    with torch.inference_mode():
        outputs = pico(batch)
        (values,) = FlatNetwork(pico, leaves_of(outputs))(batch.pixels)
    assert torch.equal(values, outputs.values)


def test_tensors_become_outputs_also_of_another_input_size(engine: Engine, pico: Detector) -> None:
    facts = engine.facts
    layout = OutputLayout(facts.leaves, facts.structure, (320, 320), engine.network)
    small = pico.preprocess.at((64, 96))
    batch = small([torch.zeros(3, 40, 60, dtype=torch.uint8)])
    with torch.inference_mode():
        expected = pico(batch)
    outputs = layout.rebuild([expected.values], batch)
    assert outputs.grids == expected.grids
    assert type(outputs) is type(expected)


def test_outputs_without_a_row_for_each_image_are_known(pico: Detector) -> None:
    class Anchored(torch.nn.Module):
        def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
            anchors = batch.pixels.new_zeros(2, 4)
            return {"anchors": anchors, "scores": batch.pixels.flatten(1)}

    def outputs(count: int) -> dict[str, torch.Tensor]:
        return Anchored()(pico.preprocess([torch.zeros(3, 40, 60, dtype=torch.uint8)] * count))

    leaves = leaves_of(outputs(2), outputs(3))
    assert leaves == [Leaf(name="anchors"), Leaf(name="scores", by_image=True)]
    structure = pytree.treespec_dumps(pytree.tree_structure(outputs(2)))
    assert OutputLayout(leaves, structure, (320, 320), pico).by_image == [False, True]
