"""The head lists the values of every cell, and refuses what it can't learn from."""

import pytest
import torch
from detzoo_yolox.detector import YOLOX, build
from detzoo_yolox.head import DecoupledHead
from detzoo_yolox.outputs import YoloxOutput

from plugins.yolox.tests.toys import NOTHING, maps_of, noise, target, trained_on
from zoo.contract import Thresholds
from zoo.contract.feature_level import FeatureLevel
from zoo.detectors import Protocol
from zoo.errors import ContractError, LabelError
from zoo.labels import LabelSpace


def test_the_head_lists_the_cells_of_the_finest_level_first_row_by_row(letters: LabelSpace) -> None:
    levels = (FeatureLevel(8, 8), FeatureLevel(8, 16))
    head = DecoupledHead(levels=levels, label_space=letters, channels=8).eval()
    outputs = head(maps_of(levels, height=32, width=16))
    assert tuple(outputs.values.shape) == (2, 8 + 2, 5 + 3)
    assert outputs.cells()[:3].tolist() == [[0, 0, 8], [1, 0, 8], [0, 1, 8]]
    assert outputs.cells()[-2:].tolist() == [[0, 0, 16], [0, 1, 16]]


def test_an_untrained_head_gives_everything_one_percent(letters: LabelSpace) -> None:
    levels = (FeatureLevel(8, 8),)
    head = DecoupledHead(levels=levels, label_space=letters, channels=8)
    # as a loader does that gives memory to a head built on the meta device
    for module in head.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    biases = [conv.bias for conv in (*head.cls_preds, *head.obj_preds)]
    assert torch.allclose(torch.cat(biases).sigmoid(), torch.tensor(0.01))


def test_train_mode_gives_logits_and_eval_mode_the_probabilities_of_the_same_network(
    toy: YOLOX,
) -> None:
    batch = toy.preprocess([torch.full((3, 64, 64), 200, dtype=torch.uint8)])
    with torch.inference_mode():
        probable = toy(batch)
        toy.head.training = True  # the head alone, so that batch norms give the same
        logits = toy(batch)
    assert (probable.logits, logits.logits) == (False, True)
    assert torch.allclose(probable.values[..., 4:], logits.values[..., 4:].sigmoid())
    assert torch.equal(probable.values[..., :4], logits.values[..., :4])


def test_a_box_in_the_padding_is_not_seen_and_takes_no_other_boxes_place(toy: YOLOX) -> None:
    batch = toy.preprocess(
        [torch.zeros(3, 32, 64, dtype=torch.uint8)]
    )  # the lower half of the input is padding
    values = torch.zeros(1, 84, 8)
    values[0, 60, 4:] = 0.9  # a cell in the padding
    values[0, 10, 4:] = 0.8  # one in the image
    outputs = YoloxOutput(values, toy(batch).grids, logits=False)
    [seen] = toy.decode(outputs, batch, Thresholds(score=0.1, iou=0.65, max_boxes=1))
    assert seen.scores.tolist() == pytest.approx([0.64])


def test_the_network_has_one_output_a_channel_and_labels_skip_the_unused() -> None:
    torch.manual_seed(0)
    label_space = LabelSpace("with background", ("x", "y"), channels=(-1, 1, 0))
    model = build(label_space=label_space, depth=0.33, width=0.125, size=64).eval()
    batch = model.preprocess([torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)])
    with torch.inference_mode():
        outputs = model(batch)
        assert outputs.values.shape[-1] == 5 + 3
        outputs.values[..., 5:] = torch.tensor(
            [1.0, 0.25, 0.5]
        )  # the network's channels are background, y, x
        [seen] = model.decode(outputs, batch, Protocol(score=0.0).thresholds(model.defaults))
    assert set(seen.labels.tolist()) == {0}


def test_truth_is_given_in_original_pixels(toy: YOLOX) -> None:
    small, large = (target((s * 4, s * 6, s * 30, s * 40, 1)) for s in (1, 3))
    image = noise(1)[0]
    enlarged = image.repeat_interleave(3, 1).repeat_interleave(3, 2)
    batch, triple = toy.preprocess([image]), toy.preprocess([enlarged])
    outputs = toy.train()(batch)
    ours, theirs = toy.loss(outputs, batch, [small]), toy.loss(outputs, triple, [large])
    assert {name: loss.item() for name, loss in ours.items()} == pytest.approx(
        {n: loss.item() for n, loss in theirs.items()}
    )


def test_objects_without_area_change_nothing(toy: YOLOX) -> None:
    real = (4, 6, 30, 40, 0)
    outputs, batch, found = trained_on(toy, [target(real)])
    with_flat = toy.loss(outputs, batch, [target((5, 5, 5, 30, 1), real, (9, 9, 20, 9, 2))])
    assert {n: v.item() for n, v in found.items()} == {n: v.item() for n, v in with_flat.items()}


def test_a_class_is_learned_in_the_channel_its_label_has() -> None:
    torch.manual_seed(0)
    plain = LabelSpace("plain", ("x", "y"), channels=(0, 1))
    model = build(label_space=plain, depth=0.33, width=0.125, size=64).train()
    batch = model.preprocess(noise(1))
    outputs = model(batch)
    swapped = LabelSpace("swapped", ("x", "y"), channels=(1, 0))
    before = model.loss(outputs, batch, [target((4, 6, 30, 40, 0))])
    model.head.label_space = swapped
    after = model.loss(outputs, batch, [target((4, 6, 30, 40, 1))])
    assert {n: v.item() for n, v in before.items()} == {n: v.item() for n, v in after.items()}


def test_raw_output_made_in_eval_mode_is_refused(toy: YOLOX) -> None:
    batch = toy.preprocess(noise(1))
    with pytest.raises(ContractError, match=r"made in eval mode\.\nCall model\.train\(\)"):
        toy.loss(toy(batch), batch, [NOTHING])


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_space_is_refused_by_number(toy: YOLOX, label: int) -> None:
    batch = toy.preprocess(noise(1))
    with pytest.raises(
        LabelError, match=rf"the label {label}\.\nIts label space 'letters' has 3 labels, from 0\."
    ):
        toy.loss(toy.train()(batch), batch, [target((1, 1, 9, 9, label))])


def test_the_class_layers_have_a_row_for_each_channel(letters: LabelSpace) -> None:
    levels = (FeatureLevel(8, 8), FeatureLevel(12, 16))
    small, large = (
        DecoupledHead(levels=levels, label_space=space, channels=8)
        for space in (letters, LabelSpace("letters", tuple("abcde")))
    )
    rows = {name: len(tensor) for name, tensor in small.state_dict().items() if tensor.ndim}
    others = {name: len(tensor) for name, tensor in large.state_dict().items() if tensor.ndim}
    named = [layer.name for layer in small.class_layers()]
    assert named == ["cls_preds.0", "cls_preds.1"]
    assert {name for name in rows if rows[name] != others[name]} == {
        f"{name}.{part}" for name in named for part in ("weight", "bias")
    }
