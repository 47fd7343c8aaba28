"""What a plugin's decode returns is validated, and the error names model, image and numbers; NMS
across classes, precision and eval mode are as asked, and afterwards as before."""

import threading
from dataclasses import replace

import pytest
import torch
from torch import nn

import zoo
from zoo.detections import Detections
from zoo.detectors import Protocol
from zoo.errors import ContractError, UsageError
from zoo.inference.detect import stream
from zoo.inference.runner import eval_mode
from zoo.labels import LabelSpace

BOX = [[8.0, 8.0, 24.0, 40.0], [40.0, 16.0, 48.0, 24.0]]


def decoding(make_lamps, *, boxes=BOX, scores=(0.9, 0.8), labels=(0, 1)):
    """A detector whose decode says just this."""

    class Broken(make_lamps):
        def decode(self, _raw, batch, _protocol):
            return [
                Detections(
                    torch.tensor(boxes),
                    torch.tensor(scores),
                    torch.tensor(labels),
                    self.label_space,
                )
                for _ in batch.transforms
            ]

    return Broken()


def test_detections_that_keep_the_contract_pass(make_lamps, street):
    assert decoding(make_lamps).detect(street).boxes.tolist() == BOX
    edge = [[0.0, 0.0, 64.0, 48.0], [64.0, 48.0, 64.0, 48.0]]
    assert decoding(make_lamps, boxes=edge).detect(street).boxes.tolist() == edge


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([BOX[0], [40.0, 16.0, 64.5, 24.0]], r"leaves the image: they span x 8\.\.64\.5"),
        ([BOX[0], [40.0, 16.0, 48.0, 48.5]], r"leaves the image: .* y 8\.\.48\.5"),
        ([[-3.0, 8.0, 24.0, 40.0], BOX[1]], r"leaves the image: they span x -3\.\."),
        ([[3.0, -8.0, 24.0, 40.0], BOX[1]], r"leaves the image: .* y -8\.\."),
    ],
)
def test_a_box_outside_the_picture_names_the_model_the_picture_and_the_numbers(
    boxes, said, make_lamps, street
):
    with pytest.raises(ContractError, match=rf"'Broken'.*'image 0' \(64 x 48 pixels.*\n.*{said}"):
        decoding(make_lamps, boxes=boxes).detect(street)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"boxes": [BOX[0], [40.0, float("nan"), 48.0, 24.0]]}, "finite"),
        ({"boxes": [BOX[0], [48.0, 16.0, 40.0, 24.0]]}, "x1 <= x2"),
        ({"scores": (1.5, 0.8)}, "scores must lie in"),
        ({"scores": (0.8, 0.9)}, "best first"),
        ({"labels": (0, 3)}, "Label 3 is outside it: it has 3 classes"),
        ({"labels": (0, 1, 2)}, "labels must be"),
    ],
)
def test_detections_that_can_not_be_made_name_the_model_and_the_picture(
    wrong, said, make_lamps, street
):
    with pytest.raises(
        ContractError,
        match=f"'Broken'.*'image 0'.*\n.*decode raised .*{said}.*\n.*defect of the package",
    ):
        decoding(make_lamps, **wrong).detect(street)


def test_labels_of_another_space_are_refused(make_lamps, street):
    broken = decoding(make_lamps)
    right = broken.decode
    broken.decode = lambda *args: [
        replace(one, label_space=LabelSpace("other", ("a", "b", "c"))) for one in right(*args)
    ]
    with pytest.raises(ContractError, match="label space 'other', the model's is 'lamps'"):
        broken.detect(street)


def test_the_name_a_model_was_loaded_by_is_said(make_lamps, street):
    broken = decoding(make_lamps, labels=(0, 3))
    broken.name = "lamps_tiny.street"
    with pytest.raises(ContractError, match=r"'lamps_tiny\.street'"):
        broken.detect(street)


def test_one_detections_a_picture_is_demanded(lamps, street):
    whole = lamps.decode
    lamps.decode = lambda *args: whole(*args)[1:]
    with pytest.raises(
        ContractError,
        match=r"3 images, the first of them 'image 0'.*\n.*returned 2 Detections for 3 images",
    ):
        lamps.detect([street] * 3, batch_size=3)


@pytest.mark.parametrize("step", ["input_size", "preprocess", "forward", "decode"])
def test_an_exception_in_a_step_becomes_an_error_that_names_model_step_and_picture(
    step, lamps, street, replace_step
):
    def broken(*_):
        raise KeyError("scale")

    replace_step(lamps, step, broken)
    with pytest.raises(
        ContractError, match=f"'Lamps'.*'image 0'.*\n.*{step} raised KeyError: 'scale'"
    ) as raised:
        lamps.detect(street)
    assert isinstance(raised.value.__cause__, KeyError)


@pytest.mark.parametrize("answer", [[None], [{"boxes": []}], None, 7])
def test_a_decode_that_returns_no_detections_is_named(answer, lamps, street):
    lamps.decode = lambda *_: answer
    with pytest.raises(
        ContractError, match=r"'Lamps'.*\n.*decode (returned (a|None)|raised TypeError)"
    ):
        lamps.detect(street)


@pytest.mark.parametrize("exit", [SystemExit(0), SystemExit("bye"), GeneratorExit()])
@pytest.mark.parametrize("step", ["input_size", "preprocess", "forward", "decode"])
def test_a_step_that_ends_the_process_is_a_defect_like_any_other(
    step, exit, lamps, street, replace_step
):
    def leave(*_):
        raise exit

    replace_step(lamps, step, leave)
    with pytest.raises(ContractError, match=f"Its {step} raised {type(exit).__name__}"):
        lamps.detect(street)


def seen(lamps, picture, protocol):
    [found] = stream(lamps, [picture], protocol=protocol, threads=0)
    return found


def test_boxes_of_any_class_give_way_to_a_better_one_only_where_asked(lamps) -> None:
    with torch.no_grad():
        lamps.tint.weight.copy_(torch.eye(3).view(3, 3, 1, 1))  # yellow is red and green
    picture = torch.zeros(3, 64, 64, dtype=torch.uint8)
    picture[:2, 10:40, 10:40] = 255
    assert len(seen(lamps, picture, Protocol(iou=0.5))) == 2
    assert len(seen(lamps, picture, Protocol(iou=0.5, nms="all"))) == 1


def test_boxes_that_give_way_take_no_place_among_the_best(make_lamps, street) -> None:
    class Doubtful(make_lamps):
        """Takes one thing for all three colors, then sees another thing."""

        def decode(self, _raw, _batch, thresholds):
            boxes = torch.tensor([BOX[0], BOX[0], BOX[0], BOX[1]])
            scores, labels = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([0, 1, 2, 0])
            return [Detections(boxes, scores, labels, self.label_space).top(thresholds.max_boxes)]

    doubtful = Doubtful()
    assert seen(doubtful, street, Protocol(nms="all", max_boxes=2)).boxes.tolist() == BOX
    assert seen(doubtful, street, Protocol(nms="all", max_boxes=1)).boxes.tolist() == BOX[:1]
    assert seen(doubtful, street, Protocol(max_boxes=2)).boxes.tolist() == [BOX[0], BOX[0]]


def test_suppression_across_classes_wants_an_overlap_where_the_family_has_none(
    lamps, street
) -> None:
    lamps.defaults = replace(lamps.defaults, iou=1.0)
    with pytest.raises(UsageError, match=r"suppresses no boxes(.|\n)*Say which overlap"):
        stream(lamps, [street], protocol=Protocol(nms="all"))
    assert len(seen(lamps, street, Protocol(nms="all", iou=0.5))) == 2


def test_short_precision_is_what_the_network_computes_in(lamps) -> None:
    kinds = []
    lamps.tint.register_forward_hook(lambda _, __, out: kinds.append(out.dtype))
    for precision in ("float32", "bfloat16"):
        seen(lamps, torch.full((3, 32, 32), 128, dtype=torch.uint8), Protocol(precision=precision))
    assert kinds == [torch.float32, torch.bfloat16]


def network() -> nn.Sequential:
    """A network in training whose second layer is frozen in eval mode."""
    made = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1), nn.Sequential(nn.Dropout()))
    made[1].eval()
    return made


def modes(module: nn.Module) -> list[bool]:
    return [one.training for one in module.modules()]


def test_every_submodule_is_as_it_was_afterwards() -> None:
    module = network()
    before = modes(module)
    with eval_mode(module):
        assert not any(modes(module))
    assert modes(module) == before == [True, True, False, True, True]


def test_it_is_as_it_was_after_an_error_too() -> None:
    module = network()
    with pytest.raises(ValueError, match="inside"), eval_mode(module):
        raise ValueError("inside")
    assert modes(module) == [True, True, False, True, True]


def test_a_module_in_eval_mode_stays_so() -> None:
    module = network().eval()
    with eval_mode(module):
        pass
    assert not any(modes(module))


def test_the_last_one_out_restores() -> None:
    module = network()
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with eval_mode(module):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(10)
    with eval_mode(module), eval_mode(module):
        pass
    assert not any(modes(module))
    leave.set()
    thread.join()
    assert modes(module) == [True, True, False, True, True]


def test_a_predictor_that_has_no_decode_is_told_of_what_it_has(street):
    class Blind:
        name = "blind"
        device = torch.device("cpu")
        label_space = zoo.LabelSpace.custom(["person"])
        defaults = zoo.contract.Thresholds(score=0.05, iou=0.5, max_boxes=100)

        def input_size(self, height, width):
            return height, width

        def predict(self, *_):
            return []

    with pytest.raises(ContractError, match="Its predict returned 0 Detections for 1 image"):
        list(stream(Blind(), [street], protocol=Protocol()))
