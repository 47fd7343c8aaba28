"""The folder of a run: its name, its lock, and what stops a run from going on in it."""

import os
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from zoo.errors import TrainError, UsageError
from zoo.train.recipe import Recipe
from zoo.train.run_folder import (
    CHECKPOINTS,
    WEIGHTS,
    check_begun,
    default_folder,
    enter,
    folder_to_resume,
    lock,
    write_weights,
)

FACTS = {"data": "street", "data_sha256": "a" * 64}


def begun(folder: Path, facts: dict[str, str] = FACTS) -> None:
    """A run that has kept a checkpoint."""
    enter(folder, Recipe(), facts, resume=False)
    (folder / CHECKPOINTS).mkdir()
    (folder / CHECKPOINTS / "0.safetensors").touch()


def test_a_default_folder_is_named_after_model_and_data() -> None:
    assert default_folder("yolox_nano", "street/train") == Path("runs/yolox_nano-street-train")
    assert default_folder("org/x", "../ü ?") == Path("runs/org-x-ü")


def test_a_run_goes_on_with_the_recipe_that_it_began_with(tmp_path: Path) -> None:
    begun(tmp_path)
    enter(tmp_path, Recipe(), FACTS, resume=True)
    enter(tmp_path, Recipe(workers=3, data="elsewhere.json"), FACTS, resume=True)
    with pytest.raises(UsageError, match="a run in it already"):
        enter(tmp_path, Recipe(), FACTS, resume=False)
    other = msgspec.structs.replace(Recipe(), seed=1, batch_size=2)
    with pytest.raises(TrainError, match="seed: 1, not 0; batch_size: 2, not 8") as raised:
        enter(tmp_path, other, FACTS, resume=True)
    assert raised.value.fix_cli.endswith(f"zoo train {tmp_path} --resume")
    with pytest.raises(TrainError, match="data_sha256: bbbbbbbbbbbb, not aaaaaaaaaaaa"):
        enter(tmp_path, Recipe(), {**FACTS, "data_sha256": "b" * 64}, resume=True)


def test_more_steps_of_a_run_that_has_ended_are_a_run_of_its_own(tmp_path: Path) -> None:
    enter(tmp_path, Recipe(steps=40, data="coco:street.json"), FACTS, resume=False)
    for name in (WEIGHTS, "card.yaml"):
        (tmp_path / name).touch()
    with pytest.raises(TrainError, match=r"steps: 50, not 40\. It has ended") as raised:
        enter(tmp_path, Recipe(steps=50), FACTS, resume=True)
    command = f"zoo train file:{tmp_path} --data coco:street.json --to {tmp_path}-2"
    assert raised.value.fix_cli.endswith(command)


def test_a_run_is_named_by_its_folder_where_no_model_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("yolox_nano", "runs/a"):
        enter(Path(name), Recipe(), FACTS, resume=False)
    assert folder_to_resume("runs/a", None) == Path("runs/a")
    assert folder_to_resume("runs/a", tmp_path / "runs/a") == Path("runs/a")
    assert folder_to_resume("./yolox_nano", None) == Path("yolox_nano")
    assert folder_to_resume("yolox_nano", None) is None
    assert folder_to_resume("runs/b", None) is None
    assert folder_to_resume(None, "runs/a") is None
    with pytest.raises(UsageError, match="continues in its own folder"):
        folder_to_resume("runs/a", "runs/b")


def test_a_run_that_was_killed_before_it_wrote_its_recipe_can_not_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="It has no run in it"):
        folder_to_resume(tmp_path, None)
    with lock(tmp_path), pytest.raises(UsageError, match="had written its recipe") as raised:
        folder_to_resume(tmp_path, None)
    assert raised.value.fix_cli.endswith(f"--to {tmp_path}")


@pytest.mark.parametrize("changed", [(True, False), (False, True)])
def test_validation_that_comes_or_goes_is_another_run(
    tmp_path: Path, changed: tuple[bool, bool]
) -> None:
    validation = {"validation": "val", "validation_sha256": "c" * 64}
    before, after = ({**FACTS, **(validation if has else {})} for has in changed)
    begun(tmp_path, before)
    words = "none, not cccc" if changed[0] else "cccccccccccc, not none"
    with pytest.raises(TrainError, match=f"validation_sha256: {words}"):
        enter(tmp_path, Recipe(), after, resume=True)


def test_a_run_without_its_facts_is_told_of(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(TrainError, match=r"run\.json, .* can't be read"):
        enter(tmp_path, Recipe(), FACTS, resume=True)
    (tmp_path / "run.json").unlink()
    with pytest.raises(TrainError, match=r"run\.json, .* is missing"):
        enter(tmp_path, Recipe(), FACTS, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_has_kept_nothing_begins_once_more_by_any_recipe(
    tmp_path: Path, resume: bool
) -> None:
    enter(tmp_path, Recipe(), FACTS, resume=False)
    enter(tmp_path, Recipe(seed=1), {**FACTS, "data_sha256": "b" * 64}, resume=resume)
    assert "b" * 64 in (tmp_path / "run.json").read_text()
    (tmp_path / WEIGHTS).touch()  # of a run whose checkpoints somebody removed
    with pytest.raises(UsageError, match="a run in it already"):
        enter(tmp_path, Recipe(), FACTS, resume=False)


def test_a_run_that_was_killed_before_it_wrote_its_recipe_begins(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    enter(tmp_path, Recipe(), FACTS, resume=True)
    enter(tmp_path, Recipe(), FACTS, resume=True)


def test_where_no_run_was_begun_there_is_none_to_resume(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing to resume in (.|\n)*no such folder") as raised:
        check_begun(tmp_path / "typo")
    assert "leave out --resume" in raised.value.fix_cli
    with pytest.raises(UsageError, match="It has no run in it"):
        check_begun(tmp_path)
    assert not list(tmp_path.iterdir())
    enter(tmp_path / "copied", Recipe(), FACTS, resume=False)
    check_begun(tmp_path / "copied")
    with lock(tmp_path / "killed at once"):
        check_begun(tmp_path / "killed at once")


def test_a_folder_that_can_not_be_one_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "run", Path("/proc/run")):
        with pytest.raises(UsageError, match="can't be trained in") as raised, lock(folder):
            pass
        assert "--to" in raised.value.fix


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    enter(tmp_path, Recipe(), FACTS, resume=False)
    for place in (tmp_path, tmp_path / "checkpoints"):
        place.mkdir(exist_ok=True)
        (place / ".step-7.safetensors.99-99.draft").write_bytes(b"half")
    enter(tmp_path, Recipe(), FACTS, resume=True)
    assert not list(tmp_path.rglob("*.draft"))


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    message = rf"Process {os.getpid()} on .* trains in it"
    with lock(tmp_path), pytest.raises(TrainError, match=message):
        lock(tmp_path).__enter__()
    with lock(tmp_path):
        pass


def test_weights_that_share_memory_are_written_whole(tmp_path: Path) -> None:
    shared = torch.arange(4.0)
    write_weights(tmp_path / "a.safetensors", {"a": shared, "b": shared.view(2, 2).T})
    found = load_file(tmp_path / "a.safetensors")
    assert torch.equal(found["b"], shared.view(2, 2).T)
