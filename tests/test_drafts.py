"""Whatever is written is there whole or not at all, and what a killed process leaves is removed by
the next, and no sooner."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from zoo import drafts
from zoo.drafts import clear, draft_name, draft_of
from zoo.files import write_file


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this process had written nothing yet."""
    monkeypatch.setattr(drafts, "CLEARED", set())


def aged(path: Path) -> Path:
    os.utime(path, (0, 0))
    return path


def left(folder: Path, name: str = ".a.json.123-456.draft") -> Path:
    """A draft that nobody holds, an age old."""
    (folder / name).write_text("half")
    return aged(folder / name)


def write(path: Path, text: str = "whole") -> None:
    with draft_of(path) as draft:
        draft.write_text(text)
        draft.replace(path)


def test_the_next_write_in_a_folder_removes_what_nobody_holds(tmp_path: Path) -> None:
    left(tmp_path)
    write(tmp_path / "b.json")
    assert [one.name for one in tmp_path.iterdir()] == ["b.json"]


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    for name in ("a.draft", ".a.draft", ".a.json.1.draft", "a.json", ".a.1-2.draft.json"):
        left(tmp_path, name)
    (tmp_path / ".c.1-2.draft").mkdir()
    aged(tmp_path / ".c.1-2.draft")
    before = set(tmp_path.iterdir())
    write(tmp_path / "b.json")
    assert set(tmp_path.iterdir()) == before | {tmp_path / "b.json"}


def test_a_draft_of_this_moment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".a.json.123-456.draft").write_text("half")
    write(tmp_path / "b.json")
    assert len(list(tmp_path.iterdir())) == 2


HOLD = """
import sys, time
from pathlib import Path
from zoo.drafts import draft_of
with draft_of(Path(sys.argv[1])) as draft:
    draft.write_text("half")
    print(draft, flush=True)
    time.sleep(60)
"""


def test_writers_that_cant_tell_each_other_apart_do_not_meet(tmp_path: Path) -> None:
    """Those of two containers have the same process and thread numbers; so have these two."""
    path = tmp_path / "a.json"
    with draft_of(path) as first:
        first.write_text("first")
        with draft_of(path) as second:
            second.write_text("2")
            second.replace(path)
        assert first.read_text() == "first"
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.json", "2")]


def test_a_draft_that_somebody_else_has_is_neither_written_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / ".a.json.1-00.draft"
    taken.write_text("theirs")
    monkeypatch.setattr(drafts, "draft_name", lambda _: taken)
    with pytest.raises(FileExistsError), draft_of(tmp_path / "a.json"):
        pass
    assert taken.read_text() == "theirs"


@pytest.mark.parametrize("name", [".a.json.123-456.draft", ".a.json.123-0a1b2c3d.draft"])
def test_the_names_of_this_version_and_of_the_one_before_are_drafts(
    tmp_path: Path, name: str
) -> None:
    left(tmp_path, name)
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(drafts.fcntl is None, reason="files are locked by being open there")
def test_a_draft_of_a_living_process_stays_and_of_a_killed_one_goes(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "a.json")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    draft = aged(Path(child.stdout.readline().strip()))
    clear(tmp_path)
    assert draft.exists()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    write(tmp_path / "a.json", "old")
    with pytest.raises(FileNotFoundError), draft_of(tmp_path / "a.json") as draft:
        draft.replace(tmp_path / "nowhere" / "a.json")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.json", "old")]


def test_threads_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    texts = [str(number) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write, args=(tmp_path / "a.json", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a.json").read_text() in texts
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path: Path) -> None:
    write(tmp_path / ("x" * 250 + ".json"))
    assert len(draft_name(tmp_path / ("x" * 255)).name) < 200


def test_every_writer_clears_its_folder(tmp_path: Path) -> None:
    """Reports, entries, predictions, images, records and the index."""
    from PIL import Image

    import zoo
    from zoo.detections import Detections
    from zoo.draw import save
    from zoo.evaluate import Evaluator, GroundTruth
    from zoo.evaluate.plots import save as save_plots
    from zoo.evaluate.predictions.prediction_store import as_predictions
    from zoo.leaderboard.entry import store
    from zoo.registry import index, registry_file

    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 9, 9]]}, label_space=["cat"]
    )
    evaluator = Evaluator(truth)
    evaluator.update(
        [1],
        [{"boxes": np.array([[0.0, 0, 9, 9]]), "scores": np.array([0.5]), "labels": np.array([0])}],
    )
    report = evaluator.compute(resamples=0).with_provenance({"model": "cats"})
    seen = Detections.of([[0, 0, 9, 9]], [0.5], ["cat"], label_space=["cat"], size=(10, 10))
    (tmp_path / "cards.yaml").write_text("schema: 2\ncards: {}\n")

    def indexed(path: Path) -> None:
        index.save_index(
            path,
            registry_file.parse_registry_file(
                b"schema: 2\ncards: {}\n", tmp_path / "cards.yaml", owner="user"
            ),
            None,
            b"",
        )

    writers = {
        "report": report.write,
        "entry": lambda path: store(path, b"{}"),
        "predictions": lambda path: as_predictions(
            [(zoo.data.ImageRecord(1, Path("1.png")), seen)], ("cat",), {}
        ).write(path),
        "image.png": lambda path: save(Image.new("RGB", (4, 4)), path),
        "record": lambda path: write_file(path, "record"),
        "index": indexed,
        "plots": lambda path: save_plots(report, path.parent),
    }
    for name, writer in writers.items():
        folder = tmp_path / f"in {name}"
        folder.mkdir()
        left(folder)
        writer(folder / name)
        assert [one.name for one in folder.iterdir() if "draft" in one.name] == [], name
        assert any(folder.iterdir()), name
