"""Commands on YOLOX-Nano at the address of its card, in a folder of their own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_published(tmp_path: Path, warm: Path, published_yolox_nano: None) -> Run:
    folder = tmp_path / "work"
    folder.mkdir()

    def run_in(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [warm, *words], cwd=folder, env=os.environ | environment, capture_output=True, text=True
        )

    return run_in
