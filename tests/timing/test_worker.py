"""A worker answers from a process of its own; its errors are raised here."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.errors import DataError, NameNotFound
from zoo.timing.timed import Variant
from zoo.timing.worker import Worker


def test_an_error_of_the_worker_is_raised_as_it_is() -> None:
    with (
        Worker(Variant(model="yolox_pic")) as worker,
        pytest.raises(NameNotFound, match=r"yolox_pico") as raised,
    ):
        worker.load()
    assert raised.value.fix


def test_it_runs_no_code_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('code of the current folder ran')")
    monkeypatch.chdir(tmp_path)
    with Worker(Variant(model="yolox_pic")) as worker, pytest.raises(NameNotFound):
        worker.load()


def test_a_worker_that_ends_is_said() -> None:
    with Worker(Variant(model="yolox_pico")) as worker:
        worker.close()
        with pytest.raises((DataError, ValueError)):
            worker.load()


@pytest.mark.slow
def test_a_model_is_timed_in_another_process() -> None:
    with Worker(Variant(model="yolox_pico", score=0.3, threads=1)) as worker:
        worker.load()
        assert worker.started is not None
        assert worker.started > 0.1
        worker.warm_up(1, calls=1, seconds=0.1)
        calls = worker.run(2, calls=2, seconds=60)
        facts = worker.facts()
    assert len(calls) == 2
    assert facts.threads == 1
    assert facts.peak_mb is not None
    assert facts.peak_mb > 100
