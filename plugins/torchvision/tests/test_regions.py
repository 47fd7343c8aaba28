"""Two stages: what they look at in each mode, and outputs that can't be decoded or learned from."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from detzoo_torchvision.parts.two_stage import FasterRCNN
from detzoo_torchvision.regions import set_strides
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign

from plugins.torchvision.tests.parts.heads import LEVELS, batch_of, maps_of
from plugins.torchvision.tests.toys import SPACE, target
from zoo.errors import ContractError


def test_a_two_stage_loss_wants_outputs_made_with_targets(rcnn: Any, images: list[Tensor]) -> None:
    batch, truth = rcnn.preprocess(images[:1]), [target()]
    for outputs in (rcnn(batch), rcnn(batch, truth), rcnn.train()(batch)):
        with pytest.raises(ContractError, match=r"outputs = model\(batch, targets\)"):
            rcnn.loss(outputs, batch, truth)
    rcnn.eval()


def test_two_stage_outputs_of_train_mode_are_decoded_if_they_hold_no_truth(
    rcnn: Any, images: list[Tensor]
) -> None:
    rcnn.train()
    batch = rcnn.preprocess(images[:1])
    outputs, sampled = rcnn(batch), rcnn(batch, [target((5.0, 5.0, 60.0, 60.0))])
    rcnn.eval()
    (found,) = rcnn.decode(outputs, batch, rcnn.defaults)
    assert len(found)
    with pytest.raises(ContractError, match=r"model\(batch\) without targets"):
        rcnn.decode(sampled, batch, rcnn.defaults)


def test_eval_mode_looks_at_every_proposal_also_with_targets(
    rcnn: Any, images: list[Tensor]
) -> None:
    batch = rcnn.preprocess(images)
    truth = [target((5.0, 5.0, 60.0, 60.0)), target()]
    with torch.no_grad():
        alone, taught = rcnn(batch), rcnn(batch, truth)
    assert alone.samples is taught.samples is None
    for one, other in zip(alone.proposals, taught.proposals, strict=True):
        assert torch.equal(one, other)
    assert len(alone.logits) == len(alone.deltas) == sum(map(len, alone.proposals))
    assert alone.deltas.shape[1] == 4 * alone.logits.shape[1] == 4 * (len(SPACE) + 1)


def test_sampled_regions_hold_the_true_boxes_and_learn_their_channel(
    rcnn: Any, images: list[Tensor]
) -> None:
    batch = rcnn.train().preprocess(images[:1])
    truth = [target((5.0, 5.0, 60.0, 60.0), label=2)]
    with torch.no_grad():
        outputs = rcnn(batch, truth)
    rcnn.eval()
    (regions,), (channels,) = outputs.proposals, outputs.samples.channels
    box = batch.transforms[0].to_input(truth[0].boxes)
    (row,) = (regions - box).abs().amax(dim=1).lt(1e-3).nonzero()[:, 0].tolist()
    assert channels[row] == 3  # behind background
    assert set(channels.tolist()) == {0, 3}


def test_an_exported_two_stage_detector_is_refused_with_what_to_export() -> None:
    head = FasterRCNN(levels=LEVELS, label_space=SPACE, hidden=8).eval()
    with pytest.raises(ContractError, match="Export a detector that looks once"):
        torch.export.export(head, (maps_of(), batch_of()))


def features_of(sizes: tuple[int, ...]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    maps = (torch.randn(1, 4, side, side, generator=generator) for side in sizes)
    return dict(zip("01", maps, strict=True))


def test_a_pool_at_given_strides_cuts_as_torchvisions_does_at_those_it_guesses() -> None:
    ours = set_strides(MultiScaleRoIAlign(["0", "1"], output_size=7, sampling_ratio=2), [8, 16])
    theirs = MultiScaleRoIAlign(["0", "1"], output_size=7, sampling_ratio=2)
    boxes = [torch.tensor([[3.0, 5, 60, 40], [0, 0, 127, 127], [9, 9, 11, 12]])]
    maps, sizes = features_of((16, 8)), [(128, 128)]
    assert torch.equal(ours(maps, boxes, sizes), theirs(maps, boxes, sizes))
    assert ours.scales == theirs.scales == [1 / 8, 1 / 16]


def test_a_flat_first_image_leaves_the_strides_as_they_are() -> None:
    pool = set_strides(MultiScaleRoIAlign(["0", "1"], output_size=7, sampling_ratio=2), [8, 16])
    flat = {name: level[:, :, :1] for name, level in features_of((16, 8)).items()}
    pool(flat, [torch.tensor([[0.0, 0, 90, 2]])], [(2, 128)])
    assert pool.scales == [1 / 8, 1 / 16]
