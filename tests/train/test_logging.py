"""The log: rows of means, whole on disk, and without what a resumed run does again."""

from pathlib import Path
from time import sleep, time

from zoo.train.logging import Log, read_log


def test_a_row_has_the_means_of_its_losses(tmp_path: Path) -> None:
    log = Log(tmp_path, tensorboard=False)
    log.losses({"iou": 1.0, "kind": 3.0})
    log.losses({"iou": 2.0, "kind": 1.0})
    row = log.row(2, rate=0.1)
    assert row == {"step": 2, "rate": 0.1, "loss": 3.5, "iou": 1.5, "kind": 2.0}
    log.losses({"iou": 4.0, "kind": 0.0})
    assert log.row(3, rate=0.1)["iou"] == 4.0


def test_numbers_of_a_validation_join_the_row_of_its_step(tmp_path: Path) -> None:
    log = Log(tmp_path, tensorboard=False)
    log.losses({"iou": 1.0})
    log.row(10, rate=0.1)
    log.add({"step": 10, "AP": 0.5})
    log.write()
    assert read_log(tmp_path / "log.csv") == [
        {"step": 10, "rate": 0.1, "loss": 1, "iou": 1, "AP": 0.5}
    ]


def test_a_log_that_goes_on_drops_the_rows_that_come_again(tmp_path: Path) -> None:
    log = Log(tmp_path, tensorboard=False)
    for step in (10, 20, 30):
        log.losses({"iou": float(step)})
        log.row(step, rate=0.1)
    log.write()
    again = Log(tmp_path, step=20, tensorboard=False)
    assert [row["step"] for row in again.rows] == [10, 20]
    assert Log(tmp_path, tensorboard=False).rows == []


def test_a_damaged_log_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n1,no number\n")
    assert read_log(tmp_path / "log.csv") == []


def test_tensorboard_has_the_rows_of_the_log(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for first, last in ((10, 30), (20, 30)):  # the second goes on from a checkpoint of step 10
        log = Log(tmp_path, step=first - 10)
        for step in range(first, last, 10):
            log.losses({"iou": step / 8})
            log.row(step, rate=0.5)
        log.add({"step": last, "AP": 0.25})
        log.close()
        log.write()
        sleep(1 - time() % 1)  # TensorBoard reads files in the order of the seconds in their names
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    numbers = {tag: [one.value for one in found.Scalars(tag)] for tag in found.Tags()["scalars"]}
    assert numbers == {"rate": [0.5] * 2, "loss": [1.25, 2.5], "iou": [1.25, 2.5], "AP": [0.25]}
    assert [one.step for one in found.Scalars("iou")] == [10, 20]
