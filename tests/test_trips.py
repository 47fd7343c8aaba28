"""A reader who follows a load crosses few files."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_weights_that_were_loaded_before_are_loaded_through_sixteen_files() -> None:
    counted = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "trips.py", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    files = json.loads(counted.stdout)["load"]
    assert len(files) <= 16, files
