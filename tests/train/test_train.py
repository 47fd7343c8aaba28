"""`zoo.train`: a folder with what was learned, for every detector with a loss."""

import csv
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.data import Dataset, read
from zoo.detectors import Detector
from zoo.errors import DataError, LabelError, NameNotFound, TrainError, UsageError
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.recipe_file import read_recipe, recipe_of
from zoo.train.result import Result
from zoo.train.train import train

QUICK: dict[str, Any] = {
    "steps": 12,
    "batch_size": 4,
    "validate_every": 6,
    "validation_share": 0,
    "augment": [{"kind": "flip"}],
    "optimizer": {"lr": 0.02, "weight_decay": 0.0},
}


def toy() -> Toy:
    torch.manual_seed(0)
    return Toy(space_of(["dark", "bright"]))


def run(data: Dataset, to: Path, model: str | Detector | None = None, **more: Any) -> Result:
    recipe = {**QUICK, **more.pop("recipe", {})}
    options: dict[str, Any] = {"device": "cpu", "progress": False, **more}
    return train(model or toy(), data=data, recipe=recipe, to=to, **options)


def test_a_run_leaves_weights_recipe_log_report_and_samples(
    blocks: Dataset, tmp_path: Path
) -> None:
    lines: list[str] = []
    result = run(blocks, tmp_path / "run", say=lines.append, validation=blocks)
    assert recipe_of(read_recipe(result.path / "recipe.yaml")) == result.recipe
    rows = list(csv.DictReader((result.path / "log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["6", "10", "12"]
    assert rows[0]["AP"]
    assert float(rows[0]["loss"]) > 0
    assert result.report is not None
    assert result.report.numbers["AP"] == result.numbers["AP"]
    assert (result.path / "report.json").exists()
    assert len(list((result.path / "samples").rglob("*.jpg"))) == 8
    assert [line.split()[1] for line in lines] == ["6/12", "12/12"]
    assert "images/s" in lines[0]


def test_what_is_learned_is_better(blocks: Dataset, tmp_path: Path) -> None:
    result = run(blocks, tmp_path / "run", recipe={"steps": 60, "validate_every": 60})
    rows = list(csv.DictReader((result.path / "log.csv").read_text().splitlines()))
    assert float(rows[-1]["loss"]) < 0.9 * float(rows[0]["loss"])


def test_the_detector_has_the_weights_of_the_folder_and_is_in_eval_mode(
    blocks: Dataset, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    model = toy()
    result = run(blocks, tmp_path / "run", model)
    state = load_file(result.path / "model.safetensors")
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not model.training


def test_the_same_seed_learns_the_same_bits(blocks: Dataset, tmp_path: Path) -> None:
    models = [toy(), toy(), toy()]
    for number, (model, seed) in enumerate(zip(models, (1, 1, 2), strict=True)):
        run(blocks, tmp_path / str(number), model, recipe={"seed": seed})
    one, same, other = ([*model.state_dict().values()] for model in models)
    assert all(map(torch.equal, one, same))
    assert not all(map(torch.equal, one, other))


@pytest.mark.parametrize(
    "recipe",
    [
        {"accumulate": 2},
        {"ema": None},
        {"precision": "bfloat16"},
        {"batch_norm": "frozen"},
        {"optimizer": {"name": "sgd", "lr": 0.01}},
        {"clip": 1.0, "schedule": {"kind": "step"}},
        {"channels_last": True, "multi_scale": {"factors": [0.9, 1.2], "multiple": 32}},
        {"steps": None, "epochs": 1.5, "validate_every": None},
    ],
    ids=str,
)
def test_each_field_of_a_recipe_trains(
    blocks: Dataset, tmp_path: Path, recipe: dict[str, Any]
) -> None:
    result = run(blocks, tmp_path / "run", recipe={**recipe, "steps": recipe.get("steps", 4)})
    assert result.steps in (4, 5)
    assert all(value.isfinite().all() for value in result_state(result).values())


def result_state(result: Result) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(result.path / "model.safetensors")


def test_a_run_without_validation_keeps_its_last_weights(blocks: Dataset, tmp_path: Path) -> None:
    result = run(blocks, tmp_path / "run")
    assert (result.step, result.numbers, result.report) == (12, {}, None)


def test_a_share_of_the_images_is_measured_and_recorded(blocks: Dataset, tmp_path: Path) -> None:
    recipe = {"steps": 2, "validation_share": 0.25}
    result = run(blocks, tmp_path / "run", recipe=recipe)
    _, off = blocks.split(train=0.75, val=0.25)
    ids = off.truth.image_ids.tolist()
    assert result.held_out is not None
    assert result.report is not None
    assert list(result.held_out.ids) == ids
    assert result.report.measured.images == len(ids)
    facts = json.loads((tmp_path / "run/run.json").read_text())
    assert facts["held_out"] == {"share": 0.25, "seed": 0, "ids": ids}
    assert f"{len(ids)} other images" in (tmp_path / "run/report.md").read_text()
    assert run(blocks, tmp_path / "run", recipe=recipe, resume=True).held_out == result.held_out


def test_named_splits_are_trained_on_and_measured(blocks: Dataset, tmp_path: Path) -> None:
    split = Dataset(
        blocks.name, blocks.images, blocks.truth, (), {"train": range(8), "val": range(8, 12)}
    )
    result = run(split, tmp_path / "run")
    assert result.report is not None
    assert result.report.measured.images == 4


def test_patience_ends_a_run(blocks: Dataset, tmp_path: Path) -> None:
    recipe = {"patience": 1, "validate_every": 2, "optimizer": {"lr": 1e-9}}
    result = run(blocks, tmp_path / "run", recipe=recipe, validation=blocks)
    assert result.steps == 4
    again = run(blocks, tmp_path / "run", recipe=recipe, resume=True, validation=blocks)
    assert again.steps == 4


def test_a_folder_with_a_run_is_resumed_or_refused(blocks: Dataset, tmp_path: Path) -> None:
    first = run(blocks, tmp_path / "run", validation=blocks)
    with pytest.raises(UsageError, match="There is a run in it already") as raised:
        run(blocks, tmp_path / "run")
    assert "--resume" in raised.value.fix_cli
    again = run(blocks, tmp_path / "run", resume=True, validation=blocks)
    assert again.numbers == first.numbers
    with pytest.raises(TrainError, match=r"optimizer\.lr: 0\.5, not 0\.02"):
        run(
            blocks,
            tmp_path / "run",
            resume=True,
            validation=blocks,
            recipe={"optimizer": {"lr": 0.5}},
        )


def test_a_run_is_not_resumed_on_other_data(blocks: Dataset, tmp_path: Path) -> None:
    run(blocks, tmp_path / "run")
    with pytest.raises(TrainError, match="data_sha256"):
        run(blocks.subset(range(8)), tmp_path / "run", resume=True)


def test_two_processes_do_not_train_in_one_folder(blocks: Dataset, tmp_path: Path) -> None:
    from zoo.train.run_folder import lock

    with (
        lock(tmp_path / "run"),
        pytest.raises(TrainError, match=f"Process {os.getpid()} on .* trains in it"),
    ):
        run(blocks, tmp_path / "run")


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"freeze": ["spine"]}, "no module 'spine'"),
        ({"stepps": 1}, "stepps"),
        ({"augment": [{"kind": "copypaste"}]}, r"blocks\d has none"),
    ],
)
def test_a_recipe_that_can_not_be_is_refused_before_the_work(
    blocks: Dataset, tmp_path: Path, recipe: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        run(blocks, tmp_path / "run", recipe=recipe)


def test_arguments_that_can_not_be_are_refused(blocks: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No model is named"):
        train(data=blocks)
    with pytest.raises(UsageError, match="No data set is named"):
        train("yolox_nano")
    with pytest.raises(NameNotFound, match="yolox_nono"):
        train("yolox_nono", data=blocks)
    with pytest.raises(UsageError, match="no recipe"):
        train("yolox_nano", data=blocks, recipe=3)  # type: ignore[arg-type]
    with pytest.raises(NameNotFound, match="No recipe named 'yolo'"):
        train("yolox_nano", data=blocks, recipe="yolo")
    empty = blocks.subset([0])
    with pytest.raises(DataError, match="None of its 1 images has a box"):
        run(empty, tmp_path / "run")
    with pytest.raises(LabelError, match="no class in common"):
        run(blocks, tmp_path / "run", Toy(space_of(["cat"])))


@pytest.mark.parametrize("model", [None, "yolox_nano"], ids=["handed over", "named"])
def test_validation_without_a_class_of_the_model_is_refused_before_the_work(
    blocks: Dataset, tmp_path: Path, model: str | None
) -> None:
    shapes = read("shapes:val,count=4,size=64")
    with pytest.raises(LabelError, match="no class in common") as raised:
        run(blocks, tmp_path / "run", model, weights=False, validation=shapes)
    assert "leave --validation out" in raised.value.fix_cli
    assert not (tmp_path / "run").exists()


def test_boxes_of_classes_that_the_model_has_not_are_left_out_and_named(
    blocks: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "zoo"):
        run(blocks, tmp_path / "run", Toy(space_of(["bright", "cat"])))
    assert "The boxes of dark are left out" in caplog.text


FAMILIES = {
    "fasterrcnn": {"neck": "fpn", "neck_arguments": {"channels": 32, "coarser": 0}},
    "retinanet": {"neck": "fpn", "neck_arguments": {"channels": 32}},
    "yolox": {"neck": "pafpn", "head_arguments": {"channels": 32}},
}


@pytest.mark.parametrize("head", FAMILIES)
def test_composed_detectors_train_with_the_same_loop(
    blocks: Dataset, tmp_path: Path, head: str
) -> None:
    torch.manual_seed(0)
    detector = zoo.compose(
        backbone="timm/test_resnet",
        head=head,
        labels=["dark", "bright"],
        input={"resize": "letterbox", "size": [64, 64]},
        **FAMILIES[head],  # type: ignore[arg-type]
    )
    recipe = {"steps": 3, "batch_size": 3, "validate_every": 3, "optimizer": {"lr": 1e-3}}
    result = run(blocks, tmp_path / "run", detector, recipe=recipe)
    assert result.steps == 3


def test_one_image_whose_last_features_are_a_pixel_is_refused_in_words(
    blocks: Dataset, tmp_path: Path
) -> None:
    detector = zoo.compose(
        backbone="timm/test_resnet",
        head="yolox",
        labels=["dark", "bright"],
        input={"resize": "letterbox", "size": [32, 32]},
        **FAMILIES["yolox"],  # type: ignore[arg-type]
    )
    with pytest.raises(TrainError, match="1 image of 32 x 32 can't be trained on at once"):
        run(blocks, tmp_path / "run", detector, recipe={"batch_size": 1})


def test_an_interrupt_says_how_to_go_on(blocks: Dataset, tmp_path: Path) -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        run(blocks, tmp_path / "run", validation=blocks, say=stop)
    [note] = raised.value.__notes__
    assert note.startswith(f"{tmp_path / 'run'} has the last checkpoint. resume=True continues")
    assert run(blocks, tmp_path / "run", validation=blocks, resume=True).steps == 12
