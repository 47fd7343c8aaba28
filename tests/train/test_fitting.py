"""`batch_size: auto` finds the parts of a batch that fit, and a run that goes on keeps them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import zoo
from zoo.contract import Batch, Target
from zoo.data import Dataset
from zoo.detectors import Detector
from zoo.errors import UsageError
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train import fitting
from zoo.train.backbone import take_backbone
from zoo.train.fitting import Trial, free_memory
from zoo.train.recipe import MultiScale, Recipe
from zoo.train.result import Result
from zoo.train.setup import accelerator_of, samples_of
from zoo.train.train import train

AUTO: dict[str, Any] = {"steps": 2, "batch_size": "auto", "validation_share": 0, "augment": []}


class Narrow(Toy):
    """Holds five images at once, and no more."""

    error: Exception = RuntimeError("DefaultCPUAllocator: not enough memory")

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        """The outputs of Toy."""
        if len(batch) > 5:
            raise self.error
        return super().forward(batch, targets)


def toy(kind: type[Toy] = Toy) -> Toy:
    torch.manual_seed(0)
    return kind(space_of(["dark", "bright"]))


def run(model: Detector, data: Dataset, to: Path, recipe: dict[str, Any], **more: Any) -> Result:
    return train(model, data=data, recipe=recipe, to=to, device="cpu", progress=False, **more)


def test_the_batch_is_the_familys_in_parts_that_fit_and_learns_the_same(
    blocks: Dataset, tmp_path: Path
) -> None:
    said: list[str] = []
    found = run(toy(Narrow), blocks, tmp_path / "auto", AUTO, say=said.append)
    assert (found.recipe.batch_size, found.recipe.accumulate) == (16, 4)
    assert found.recipe.optimizer.lr == 1e-3
    assert said == ["batch_size is 16; 4 images fit at once."]
    explicit = {**AUTO, "batch_size": 16, "accumulate": 4}
    run(toy(), blocks, tmp_path / "explicit", explicit)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("auto", "explicit"))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_a_run_that_goes_on_keeps_what_was_found(
    blocks: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(toy(Narrow), blocks, tmp_path, AUTO)
    monkeypatch.setattr(fitting, "free_memory", lambda: 1.0)  # as on a smaller machine
    assert run(toy(Narrow), blocks, tmp_path, AUTO, resume=True).recipe.accumulate == 4
    recipe = str(tmp_path / "recipe.yaml")
    assert run(toy(Narrow), blocks, tmp_path, recipe, resume=True).recipe.accumulate == 4  # type: ignore[arg-type]


def trial(blocks: Dataset, detector: Detector, **fields: Any) -> Trial:
    recipe = Recipe(**{"batch_size": 16, "steps": 1, "augment": (), **fields})
    return Trial(
        recipe, detector, samples_of(recipe, detector, blocks), accelerator_of(recipe, "cpu")
    )


def test_on_a_cpu_the_memory_that_is_free_is_the_limit(
    blocks: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = trial(blocks, toy())
    assert found.most_at_once() == 16
    need = found.saved_bytes_per_image() * fitting.PEAK_FACTOR / fitting.CPU_SHARE
    monkeypatch.setattr(fitting, "free_memory", lambda: 5.5 * need)
    assert found.most_at_once() == 5
    monkeypatch.setattr(fitting, "free_memory", lambda: 0.0)
    assert found.most_at_once() == 1


def test_larger_inputs_and_more_processes_count(blocks: Dataset) -> None:
    parts: dict[str, Any] = {"head": "yolox", "neck": "pafpn", "head_arguments": {"channels": 32}}
    rule: Any = {"resize": "letterbox", "size": [64, 64]}
    labels = ["dark", "bright"]
    detector = zoo.compose(backbone="timm/test_resnet", labels=labels, input=rule, **parts)
    plain, scaled = (
        trial(blocks, detector, multi_scale=scale) for scale in (None, MultiScale(factors=(0.5, 2)))
    )
    assert scaled.saved_bytes_per_image() > 3 * plain.saved_bytes_per_image()
    four = SimpleNamespace(
        num_processes=4, device=torch.device("cpu"), autocast=plain.accelerator.autocast
    )
    assert replace(plain, accelerator=four).most_at_once() == 4


def test_a_trial_leaves_the_detector_as_it_was(blocks: Dataset) -> None:
    detector = toy()
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    trial(blocks, detector).most_at_once()
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())
    assert all(parameter.grad is None for parameter in detector.parameters())


def test_other_errors_of_a_trial_pass(blocks: Dataset) -> None:
    detector = toy(Narrow)
    detector.error = ValueError("no")  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="no"):
        trial(blocks, detector).most_at_once()


def test_free_memory_is_some() -> None:
    assert free_memory() > 1e6


def test_auto_and_a_number_of_parts_contradict(blocks: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="batch_size: auto and accumulate: 2"):
        run(toy(), blocks, tmp_path, {**AUTO, "accumulate": 2})


def test_the_backbone_of_another_model_is_taken_once(
    blocks: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takers: list[Detector] = []

    def take(detector: Detector, name: str) -> int:
        takers.append(detector)
        return take_backbone(detector, name)

    monkeypatch.setattr("zoo.train.train.take_backbone", take)
    detector = zoo.load("yolox_pico", weights=False, labels=["dark", "bright"])
    recipe = {**AUTO, "steps": 1, "size": [64, 64], "backbone": "yolox_pico", "workers": 0}
    run(detector, blocks, tmp_path, recipe)
    assert takers == [detector]
