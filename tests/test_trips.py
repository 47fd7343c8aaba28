"""A reader who follows a detection or a load crosses few files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def crossed() -> dict[str, list[str]]:
    """The files of each trip."""
    counted = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "trips.py", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    files: dict[str, list[str]] = json.loads(counted.stdout)
    return files


def test_weights_that_were_loaded_before_are_loaded_through_sixteen_files(
    crossed: dict[str, list[str]],
) -> None:
    assert len(crossed["load"]) <= 16, crossed["load"]


def test_a_local_file_is_detected_in_through_fourteen_files(crossed: dict[str, list[str]]) -> None:
    assert len(crossed["detect"]) <= 14, crossed["detect"]
