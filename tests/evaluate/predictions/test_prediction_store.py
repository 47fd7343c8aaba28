"""Parts of a run on disk: a damaged one is named, and one that was changed is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from tests.evaluate.predictions.nano_run import Interrupt, run
from zoo.data import Dataset
from zoo.errors import DataError
from zoo.evaluate import Predictions


def test_a_second_process_is_refused_while_the_first_is_at_it(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    path = run(street, nano, tmp_path / "there").path
    assert path is not None
    parts = tmp_path / "here" / f"{path.name}.parts"
    parts.mkdir(parents=True)
    with (
        FileLock(parts / "lock"),
        pytest.raises(DataError, match="Another process is making these"),
    ):
        run(street, nano, tmp_path / "here")
    assert len(run(street, nano, tmp_path / "here")) == 6


def test_a_damaged_part_is_named_and_its_images_are_looked_at_again_once_it_is_gone(
    street: Dataset, nano: str, tmp_path: Path, looked: list[int], interrupt: Interrupt
) -> None:
    with interrupt(4):
        run(street, nano, tmp_path)
    [part] = tmp_path.glob("*.parts/*.parquet")
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(
        DataError, match=r"000000\.parquet was read, to go on with a run(.|\n)*the other parts stay"
    ):
        run(street, nano, tmp_path)
    part.unlink()
    assert len(run(street, nano, tmp_path)) == 6
    assert sum(looked) == 10


def test_a_part_that_was_removed_leaves_the_names_of_the_others_alone(
    street: Dataset,
    nano: str,
    tmp_path: Path,
    interrupt: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoo.evaluate.predictions.prediction_store.SECONDS", 0.0)
    with interrupt(4):
        run(street, nano, tmp_path)
    first, second, *others = sorted(tmp_path.glob("*.parts/*.parquet"))
    assert others
    kept = {path: path.read_bytes() for path in (first, *others)}
    second.unlink()
    with interrupt(1):
        run(street, nano, tmp_path)
    assert {path: path.read_bytes() for path in kept} == kept
    assert len(run(street, nano, tmp_path)) == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"provenance": {"seconds": "long"}},
            "'seconds' of its provenance is 'long', not a number",
        ),
        ({"provenance": {"seconds": "-1"}}, "'seconds' of its provenance"),
        (
            {"provenance": {"started": "yesterday"}},
            "'started' of its provenance is 'yesterday', not a time",
        ),
        ({"provenance": {"protocol_settings": "[1]"}}, "'protocol_settings' of its provenance"),
        ({"provenance": {"finished": None}}, "no entry 'finished'"),
        ({"provenance": {"model": "other"}}, "of another run"),
        ({"names": tuple(f"class {number}" for number in range(80))}, "classes are others"),
        ({"image_ids": np.arange(51, 55)}, "Image 51 is none of the data set's"),
        ({"image_ids": np.array(list("abcd"))}, "Image 'a' is none of the data set's"),
    ],
)
def test_a_part_that_was_changed_is_refused_by_name(
    street: Dataset,
    nano: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt: Interrupt,
    changes: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr("zoo.evaluate.predictions.prediction_store.SECONDS", 0.0)  # a part an image
    with interrupt(5):
        run(street, nano, tmp_path)
    first, second = sorted(tmp_path.glob("*.parts/*.parquet"))[:2]
    there = Predictions.read(second)
    facts = there.provenance | changes.get("provenance", {})
    ids = changes["image_ids"][: len(there)] if "image_ids" in changes else there.image_ids
    kept = {name: value for name, value in facts.items() if value is not None}
    replace(there, **changes | {"provenance": kept, "image_ids": ids}).write(second)
    with pytest.raises(
        DataError, match=rf"{second.name} was read, to go on with a run(.|\n)*{message}"
    ):
        run(street, nano, tmp_path)
    assert first.exists()
