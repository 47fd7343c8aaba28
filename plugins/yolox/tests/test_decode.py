"""Decoding against a slow one, written with loops."""

import pytest
import torch
from detzoo_yolox.decode import decode
from detzoo_yolox.outputs import Grid, YoloxOutput
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.detectors import Protocol

GRIDS = (Grid(6, 5, 8), Grid(3, 3, 16))
CELLS = 6 * 5 + 3 * 3
RULES = Protocol(score=0.2, iou=0.5, max_boxes=100)
Row = tuple[list[float], float, int]


def random_outputs(images: int, *, seed: int, logits: bool = False) -> YoloxOutput:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(images, CELLS, 5 + 3, generator=generator)
    values[..., 2:4] += 1  # boxes of some cells' size, so that they overlap
    if not logits:
        values[..., 4:] = (values[..., 4:] * 2).sigmoid()
    return YoloxOutput(values, GRIDS, logits=logits)


def iou(a: list[float], b: list[float]) -> float:
    overlap = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    return overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap)


def slow(outputs: YoloxOutput, rules: Protocol) -> list[list[Row]]:
    assert rules.score is not None
    assert rules.iou is not None
    places = [
        (x, y, grid.stride)
        for grid in outputs.grids
        for y in range(grid.height)
        for x in range(grid.width)
    ]
    result = []
    for image in outputs.values:
        rows: list[Row] = []
        for (x, y, stride), (dx, dy, w, h, objectness, *classes) in zip(
            places, image.double().tolist(), strict=True
        ):
            label = max(range(len(classes)), key=classes.__getitem__)
            cx, cy = (x + dx) * stride, (y + dy) * stride
            half_w, half_h = (torch.tensor([w, h], dtype=torch.float64).exp() * stride / 2).tolist()
            rows.append(
                (
                    [cx - half_w, cy - half_h, cx + half_w, cy + half_h],
                    objectness * classes[label],
                    label,
                )
            )
        kept: list[Row] = []
        for row in sorted((row for row in rows if row[1] >= rules.score), key=lambda row: -row[1]):
            if all(other[2] != row[2] or iou(other[0], row[0]) <= rules.iou for other in kept):
                kept.append(row)
        result.append(kept)
    return result


@settings(max_examples=50)
@given(
    images=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    score=st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
)
def test_it_finds_what_the_slow_one_finds(images: int, seed: int, score: float) -> None:
    outputs, rules = (
        random_outputs(images, seed=seed),
        Protocol(score=score, iou=0.5, max_boxes=100),
    )
    for (boxes, scores, labels), expected in zip(
        decode(outputs, rules), slow(outputs, rules), strict=True
    ):
        assert labels.tolist() == [label for _, _, label in expected]
        assert scores.tolist() == pytest.approx([score for _, score, _ in expected], abs=1e-6)
        assert boxes.flatten().tolist() == pytest.approx(
            [edge for box, _, _ in expected for edge in box], abs=1e-3
        )


def test_the_random_images_have_overlaps_to_suppress() -> None:
    outputs = random_outputs(1, seed=0)
    assert len(decode(outputs, RULES)[0][0]) < len(
        decode(outputs, Protocol(score=0.2, iou=1.0, max_boxes=100))[0][0]
    )


def test_an_image_is_decoded_alone_as_in_a_batch() -> None:
    outputs = random_outputs(3, seed=1)
    together = decode(outputs, RULES)
    for index, found in enumerate(together):
        [alone] = decode(YoloxOutput(outputs.values[index : index + 1], GRIDS, logits=False), RULES)
        assert all(torch.equal(one, other) for one, other in zip(alone, found, strict=True))


def test_logits_decode_like_the_probabilities_they_stand_for() -> None:
    logits = random_outputs(2, seed=2, logits=True)
    values = torch.cat([logits.values[..., :4], logits.values[..., 4:].sigmoid()], dim=-1)
    for found, expected in zip(
        decode(logits, RULES), decode(YoloxOutput(values, GRIDS, logits=False), RULES), strict=True
    ):
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_a_channel_that_no_label_has_is_never_seen() -> None:
    outputs = random_outputs(1, seed=3)
    outputs.values[..., 5] = 1.0  # a background channel that is sure of itself
    [(_, _, labels)] = decode(outputs, RULES, channels=(2, 1))
    [(_, _, swapped)] = decode(outputs, RULES, channels=(1, 2))
    assert len(labels) > 0
    assert labels.tolist() == (1 - swapped).tolist()


def test_an_empty_batch_gives_an_empty_list() -> None:
    assert decode(YoloxOutput(torch.zeros(0, CELLS, 8), GRIDS, logits=False), RULES) == []
