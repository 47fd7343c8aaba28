"""What killed runs leave behind goes with the next run; what a process holds, or may be resumed,
stays."""

from pathlib import Path

import pytest
from filelock import FileLock

import zoo
from zoo.data import Dataset
from zoo.evaluate import predict

PROTOCOL = zoo.Protocol(score=0.0, max_boxes=5)


def test_parts_of_finished_runs_go_and_others_stay(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    def again() -> Path:
        path = predict("yolox_nano", data=street, weights=nano, to=tmp_path, protocol=PROTOCOL).path
        assert path is not None
        return path

    path = again()
    content = path.read_bytes()
    left = path.with_name(f"{path.name}.parts")
    held, unfinished = tmp_path / "held.parquet.parts", tmp_path / "unfinished.parquet.parts"
    for parts in (left, held, unfinished):
        parts.mkdir()
        (parts / "000000.parquet").write_bytes(content)
    (tmp_path / "held.parquet").write_bytes(content)
    with FileLock(held / "lock"):
        again()
    assert set(tmp_path.glob("*.parts")) == {unfinished, held}
    again()
    assert set(tmp_path.glob("*.parts")) == {unfinished}
    assert path.read_bytes() == content


def test_folders_of_killed_runs_that_are_not_kept_go(
    street: Dataset, nano: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("zoo-run-left", "zoo-run-held", "other"):
        parts = tmp_path / name / "a.parquet.parts"
        parts.mkdir(parents=True)
        (parts / "lock").touch()
    with FileLock(tmp_path / "zoo-run-held" / "a.parquet.parts" / "lock"):
        predict(zoo.load("yolox_nano", weights=nano), data=street, protocol=PROTOCOL)
    assert {one.name for one in tmp_path.glob("*") if one.name != "street"} == {
        "zoo-run-held",
        "other",
    }
