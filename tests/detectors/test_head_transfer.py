"""Other classes by name, by label space and by file; families that do not say which rows are whose;
and what is refused."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor
from torch.testing import assert_close

import zoo
from zoo import Detector, LabelSpace
from zoo.contract import ClassLayer
from zoo.detectors.compose import build
from zoo.detectors.head_transfer import transfer_head
from zoo.detectors.load import load_to_train
from zoo.detectors.preprocess import CardPreprocess
from zoo.errors import CheckpointError, ContractError, LabelError, NameNotFound
from zoo.registry.card import Input

OLD = LabelSpace.custom(["ant", "bee", "cat"])


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return _toy(OLD).state_dict()


def _toy(label_space: LabelSpace) -> Any:
    return build(
        label_space=label_space,
        backbone="timm/test_resnet",
        head="yolox",
        head_arguments={"channels": 16},
    )


def _meta(label_space: LabelSpace) -> Any:
    with torch.device("meta"):
        return _toy(label_space)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from([*OLD.names, "dog", "elk", "fox"]), min_size=1, unique=True))
def test_each_class_has_its_own_row_or_the_prior(
    weights: dict[str, Tensor], names: list[str]
) -> None:
    detector = _meta(LabelSpace.custom(names))
    transfer = transfer_head(detector, weights, old=OLD, make=_toy, failure="")
    assert set(transfer.carried) == set(names) & set(OLD.names)
    assert transfer.new_classes == tuple(name for name in names if name not in OLD.names)
    for level in range(3):
        ours = detector.state_dict()[f"head.cls_preds.{level}.bias"]
        theirs = weights[f"head.cls_preds.{level}.bias"]
        for label, name in enumerate(names):
            expected = theirs[OLD.label(name)] if name in OLD.names else torch.tensor(0.01).logit()
            assert_close(ours[label], expected)


def test_a_class_in_another_spelling_or_by_a_synonym_is_the_same_class(file: Path) -> None:
    transfer = zoo.load(
        "yolox_nano", weights=f"file:{file}", labels=["Person", "aeroplane"]
    ).head_transfer
    assert transfer
    assert transfer.carried == {"Person": "person", "aeroplane": "airplane"}
    assert "aeroplane (there airplane)" in str(transfer)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nano") / "nano.safetensors"
    save_file(zoo.load("yolox_nano", weights=False).state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["helmet", "vest"], "yolox_nano[helmet,vest]"),
        (["a", "b", "c", "d"], "yolox_nano[4 classes]"),
        ("voc20", "yolox_nano[voc20]"),
        (LabelSpace("site", ("helmet",)), "yolox_nano[site]"),
        ("coco80", "yolox_nano"),
        (None, "yolox_nano"),
    ],
)
def test_name_and_label_space_say_what_it_is_for(file: Path, labels: Any, name: str) -> None:
    detector = zoo.load("yolox_nano", weights=f"file:{file}", labels=labels)
    assert detector.name == name
    assert detector.label_space == zoo.labels.builtin.space_of(
        "coco80" if labels is None else labels
    )
    assert (detector.head_transfer is None) == (name == "yolox_nano")


def test_random_weights_carry_nothing() -> None:
    detector = zoo.load("yolox_nano", weights=False, labels=["person", "vest"])
    assert detector.head_transfer is None
    assert detector.label_space.names == ("person", "vest")
    assert_close(
        detector.get_parameter("head.cls_preds.0.bias").detach(), torch.tensor([0.01, 0.01]).logit()
    )


def test_everything_but_the_new_head_stays_mapped_from_the_file(file: Path) -> None:
    detector = zoo.load("yolox_nano", weights=f"file:{file}", labels=["person"])
    assert detector.head_transfer
    new = {one.tensor for one in detector.head_transfer.tensors}
    owned = [
        name
        for name, one in detector.state_dict().items()
        if name not in new and one.untyped_storage().resizable()
    ]
    assert owned == []


def test_new_classes_are_named_in_the_log(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="zoo"):
        zoo.load("yolox_nano", weights=f"file:{file}", labels=["person", "dog"])
        assert caplog.messages == []
        zoo.load("yolox_nano", weights=f"file:{file}", labels=["person", "vest"])
    assert caplog.messages == [
        "yolox_nano[person,vest] has to be trained first for vest; its `head_transfer` says what "
        "is new."
    ]


def test_training_does_not_say_that_new_classes_have_to_be_trained(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="zoo"):
        detector = load_to_train("yolox_nano", weights=f"file:{file}", labels=["person", "vest"])
    assert detector.head_transfer
    assert detector.head_transfer.new_classes == ("vest",)
    assert caplog.messages == []


def test_weights_of_ones_own_have_the_fixes_of_those_they_were_trained_from(tmp_path: Path) -> None:
    small = {"weights": False, "labels": ["helmet"]}
    save_file(
        zoo.load("fasterrcnn_resnet50_fpn", **small).state_dict(), tmp_path / "mine.safetensors"
    )
    detector = zoo.load(
        "fasterrcnn_resnet50_fpn",
        weights=f"file:{tmp_path / 'mine.safetensors'}",
        labels=["helmet"],
    )
    assert {
        module.eps for module in detector.modules() if type(module).__name__ == "FrozenBatchNorm2d"
    } == {0.0}


def test_weights_of_ones_own_for_other_classes_are_refused_with_how_to_name_those(
    file: Path, tmp_path: Path
) -> None:
    save_file(
        zoo.load("yolox_nano", weights=False, labels=["helmet", "vest"]).state_dict(),
        tmp_path / "mine.safetensors",
    )
    with pytest.raises(CheckpointError, match="If it is for other classes") as caught:
        zoo.load("yolox_nano", weights=tmp_path / "mine.safetensors")
    assert 'labels=["helmet", "vest"]' in caught.value.fix
    with pytest.raises(CheckpointError, match="Give a checkpoint of this architecture"):
        zoo.load("yolox_tiny", weights=file)


def test_weights_for_neither_are_refused(file: Path) -> None:
    with pytest.raises(CheckpointError, match="does not fit"):
        zoo.load("yolox_tiny", weights=f"file:{file}", labels=["helmet"])


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([], "no class at all"),
        (["helmet", "helmet"], "twice: helmet"),
        (["helmet", 3], "Class 1 is 3"),
        (["helmet", " "], "not a name"),
        ({"helmet", "vest"}, "their order numbers them"),
        ({"helmet": 0}, "their order numbers them"),
        (2, "That is an int"),
    ],
)
def test_what_is_no_list_of_names_is_refused(labels: Any, said: str) -> None:
    with pytest.raises(LabelError, match=said) as caught:
        zoo.load("yolox_nano", weights=False, labels=labels)
    assert caught.value.fix


def test_a_lone_name_is_taken_for_a_label_space() -> None:
    with pytest.raises(NameNotFound, match="A list of class names makes one of your own"):
        zoo.load("yolox_nano", weights=False, labels="helmet")


class Silent(torch.nn.Module):
    """A head that says nothing of its layers."""

    def __init__(self, head: Any) -> None:
        super().__init__()
        self.inner, self.defaults = head, head.defaults


def _silent(label_space: LabelSpace) -> Detector:
    detector = _toy(label_space)
    detector.head = Silent(detector.head)
    return detector  # type: ignore[no-any-return]


@pytest.mark.parametrize("names", [["cat", "elk"], ["cat", "bee", "ant"]], ids=["fewer", "as many"])
def test_a_family_that_does_not_say_whose_rows_are_whose_gets_them_all_new(
    weights: dict[str, Tensor], names: list[str]
) -> None:
    state = {name.replace("head.", "head.inner."): tensor for name, tensor in weights.items()}
    with torch.device("meta"):
        detector = _silent(LabelSpace.custom(names))
    transfer = transfer_head(detector, state, old=OLD, make=_silent, failure="")
    classes = {
        f"head.inner.cls_preds.{level}.{name}" for level in range(3) for name in ("weight", "bias")
    }
    assert {one.tensor for one in transfer.new_tensors} == classes
    assert transfer.carried == {}
    assert transfer.new_classes == tuple(names)
    after = detector.state_dict()
    assert all(
        torch.equal(after[name], tensor) for name, tensor in state.items() if name not in classes
    )
    assert_close(after["head.inner.cls_preds.0.bias"], torch.full((len(names),), 0.01).logit())


class NothingLast(Detector):
    """A family whose last channel says that there is nothing, as DETR's does."""

    forward = decode = loss = None  # type: ignore[assignment]  # it is never run

    def __init__(self, label_space: LabelSpace) -> None:
        Detector.__init__(
            self,
            label_space=label_space,
            defaults=zoo.detectors.Thresholds(score=0.5, iou=0.5, max_boxes=10),
            preprocess=CardPreprocess(Input(resize="fixed", size=[32, 32])),
        )
        self.scores = torch.nn.Linear(2, len(label_space.channels) + 1)

    def class_layers(self) -> list[ClassLayer]:
        channels = self.label_space.channels
        return [ClassLayer("scores", (*channels, -1), background=len(channels))]


def test_background_is_carried_over_wherever_it_is_and_unused_channels_where_they_are() -> None:
    old = LabelSpace("old", ("ant", "bee"), channels=(-1, 1, -1, 0))
    new = LabelSpace("new", ("elk", "ant"), channels=(-1, 0, 1))
    state = {"scores.weight": torch.arange(10.0).reshape(5, 2), "scores.bias": torch.arange(5.0)}
    with torch.device("meta"):
        detector = NothingLast(new)
    transfer = transfer_head(detector, state, old=old, make=NothingLast, failure="")
    after = detector.state_dict()["scores.bias"]
    assert after[[0, 2, 3]].tolist() == [0.0, 3.0, 4.0]
    assert [(one.tensor, one.new) for one in transfer.new_tensors] == [
        ("scores.weight", 1),
        ("scores.bias", 1),
    ]


def _wrong(label_space: LabelSpace, **changes: Any) -> Any:
    detector = _toy(label_space)
    said = [replace(layer, **changes) for layer in detector.class_layers()]
    detector.class_layers = lambda: said[: changes.get("outer", 1) + 1]
    return detector


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "'head.cls_preds.2.weight' depends on the number of classes"),
        ({"outer": 2}, "2 x 2 x 1"),
        ({"start": torch.nn.init.zeros_}, "'head.cls_preds.0' can't be started by its `start`"),
        ({"name": "heat.9"}, "names 'heat.9', and it has no such layer"),
    ],
)
def test_a_family_that_names_its_layers_wrongly_is_told(
    weights: dict[str, Tensor], changes: Any, said: str
) -> None:
    def make(label_space: LabelSpace) -> Any:
        return _wrong(label_space, **changes)

    with torch.device("meta"):
        detector = make(LabelSpace.custom(["ant", "elk"]))
    with pytest.raises(ContractError, match=said):
        transfer_head(detector, weights, old=OLD, make=make, failure="")
