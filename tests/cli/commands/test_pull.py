"""`zoo pull` from the shell, on YOLOX-Nano at the address of its card."""

import json
import subprocess
from collections.abc import Callable

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_pull_fetches_and_a_later_load_needs_no_network(run_published: Run) -> None:
    done = run_published("pull", "yolox_nano", "--json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert row["name"] == "yolox/yolox_nano.coco"
    assert len(row["sha256"]) == 64
    assert run_published("pull", "yolox_nano", ZOO_OFFLINE="1").returncode == 0


def test_pull_goes_on_after_a_failure(run_published: Run) -> None:
    done = run_published("pull", "yolox_tiny", "yolox_nano", ZOO_RETRIES="0")
    assert done.returncode == 1
    assert "yolox_tiny" in done.stderr
    assert "yolox_nano.coco" in done.stdout


def test_where_all_fail_in_one_way_the_exit_code_is_that_of_the_error(run_published: Run) -> None:
    done = run_published("pull", "yolox_tiny", "yolox_s", ZOO_RETRIES="0")
    assert done.returncode == 5


def test_pull_of_a_wrong_name_suggests_the_right_one(run_published: Run) -> None:
    done = run_published("pull", "yolox_nan")
    assert done.returncode == 3
    assert "yolox_nano" in done.stderr
