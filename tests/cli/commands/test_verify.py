"""`zoo verify` from the shell, on YOLOX-Nano at the address of its card."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def cached() -> list[Path]:
    return sorted(Path(os.environ["ZOO_HOME"]).rglob("*.safetensors"))


def test_verify_says_that_all_is_well(run_published: Run) -> None:
    run_published("pull", "yolox_nano")
    assert run_published("verify").returncode == 0
    assert {row["status"] for row in json.loads(run_published("verify", "--json").stdout)} == {"ok"}


def test_verify_finds_a_flipped_bit_that_left_size_and_time_alone(
    run_published: Run, tmp_path: Path
) -> None:
    run_published("pull", "yolox_nano")
    [file] = cached()
    before = file.stat()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = run_published("verify")
    assert done.returncode == 1
    assert "damaged" in done.stdout
    assert run_published("verify", "--remove").returncode == 1
    assert not file.exists()
    assert run_published("pull", "yolox_nano").returncode == 0
    assert run_published("verify").returncode == 0


def test_verify_of_what_was_never_fetched_says_how_to_fetch_it(run_published: Run) -> None:
    done = run_published("verify", "yolox_nano")
    assert done.returncode == 1
    assert (
        done.stdout
        == "not fetched  yolox/yolox_nano.coco  Fetch it: zoo pull yolox/yolox_nano.coco\n"
    )
    assert done.stderr == "1 file: 1 not fetched.\n"
