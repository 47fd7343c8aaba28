"""The evaluator takes tensors from an accelerator, and gives the bits that it gives for arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.errors import DataError
from zoo.evaluate import Evaluator

KINDS = {
    "float32": torch.float32,
    "float64": torch.float64,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


@pytest.fixture
def found(street):
    """What was found in the street: most boxes, some pixels off, as numpy columns an image."""
    chance = np.random.default_rng(0)
    truth = street.truth
    columns = []
    for row in range(len(truth)):
        part = slice(int(truth.starts[row]), int(truth.starts[row + 1]))
        x, y, width, height = truth.xywh[part].T
        boxes = np.stack([x, y, x + width, y + height], axis=1) + chance.integers(
            -4, 5, (len(x), 4)
        )
        scores = chance.integers(1, 64, len(x)) / 64  # the same number in every float
        columns.append(
            {
                "boxes": boxes.astype(np.float32),
                "scores": scores.astype(np.float32),
                "labels": truth.labels[part],
            }
        )
    return columns


def on(columns, device, dtype=torch.float32):
    tensors = {name: torch.as_tensor(np.asarray(values)) for name, values in columns.items()}
    floats = {name: tensors[name].to(device, dtype) for name in ("boxes", "scores")}
    return floats | {"labels": tensors["labels"].to(device, torch.int64)}


def numbers(street, detections):
    evaluator = Evaluator(street.truth)
    evaluator.update(street.truth.image_ids.tolist(), detections)
    return evaluator.numbers()


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_on_it_give_the_bits_of_arrays(street, found, device, kind):
    expected = numbers(street, found)
    assert expected["AP"] > 0
    assert numbers(street, [on(columns, device, KINDS[kind]) for columns in found]) == expected


def test_tensors_with_gradients_and_images_without_detections_are_taken(street, found, device):
    found[2] = {name: values[:0] for name, values in found[2].items()}
    expected = numbers(street, found)
    tensors = [on(columns, device) for columns in found]
    for one in tensors:
        one["boxes"].requires_grad_()
        one["scores"].requires_grad_()
    assert numbers(street, tensors) == expected


def test_tensors_of_both_sides_may_be_mixed(street, found, device):
    mixed = [on(columns, device if row % 2 else "cpu") for row, columns in enumerate(found)]
    assert numbers(street, mixed) == numbers(street, found)


def test_a_padded_batch_on_it_is_taken(street, found, device):
    most = max(len(one["scores"]) for one in found) + 2
    padded = {"boxes": torch.zeros(len(found), most, 4), "scores": torch.zeros(len(found), most)}
    padded["labels"] = torch.zeros(len(found), most, dtype=torch.int64)
    for row, one in enumerate(found):
        for name, values in one.items():
            padded[name][row, : len(values)] = torch.as_tensor(np.asarray(values))
    padded["counts"] = torch.tensor([len(one["scores"]) for one in found])
    assert numbers(street, {name: tensor.to(device) for name, tensor in padded.items()}) == numbers(
        street, found
    )


def test_what_is_no_number_is_refused_from_there_too(street, found, device):
    tensors = [on(columns, device) for columns in found]
    tensors[1]["scores"][0] = torch.nan
    with pytest.raises(DataError, match=str(street.truth.image_ids[1])):
        numbers(street, tensors)
