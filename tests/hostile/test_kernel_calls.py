"""Whatever the kernel is called with, it reads and writes nothing outside of its arguments, and
computes nothing undefined."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_build import compile_kernel

HARNESS = Path(__file__).parent / "kernel_calls.py"
SANITIZED = (
    "-g",
    "-O1",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)


def preload() -> str:
    """The library that has to be there before Python is, or nothing where the compiler has none."""
    compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None or sys.platform != "linux":
        return ""
    done = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=False
    )
    found = done.stdout.strip()
    return found if os.path.isabs(found) and Path(found).exists() else ""


@pytest.mark.slow
@pytest.mark.skipif(not preload(), reason="there is no C compiler with AddressSanitizer here")
def test_arguments_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.so"
    compile_kernel(kernel, more=SANITIZED)
    environment = os.environ | {
        "LD_PRELOAD": preload(),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4096",
        "PYTHONMALLOC": "malloc",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(kernel), "1500", "0", "1"],
        env=environment,
        cwd=HARNESS.parent.parent.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for ended in json.loads(done.stdout):
        assert all(ended[what] > 20 for what in ("done", "refused", "read", "unusual"))
