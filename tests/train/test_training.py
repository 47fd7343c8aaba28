"""The progress of a run: which validation is the best, and how many have passed since."""

from zoo.train.training import Progress


def test_the_best_is_the_highest_the_first_of_equals_and_the_last_of_zeros() -> None:
    progress = Progress()
    records = []
    for step, number in enumerate((0.0, 0.0, 0.3, 0.3, 0.2, 0.0, 0.4), 1):
        progress.step = step
        records.append((progress.record(number), progress.best_step, progress.stale))
    assert records[:2] == [(True, 1, 0), (True, 2, 1)]
    assert records[2:6] == [(True, 3, 0), (False, 3, 1), (False, 3, 2), (False, 3, 3)]
    assert records[6] == (True, 7, 0)
