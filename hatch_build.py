"""Compiles the evaluation kernel into the wheel; where no compiler can, the wheel is pure Python
and one notice says so.

`python hatch_build.py` compiles it in place, for a checkout that is used without being installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FOLDER = Path("zoo/evaluate/coco/kernel")
# Without contraction: a fused multiply-add would move an IoU in its last bit.
FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-pthread", "-Wall", "-Wextra"]


def compile_kernel(to: Path, *, more: Sequence[str] = ()) -> None:
    """Compiles `kernel/*.c` into the shared library `to`. Raises: OSError or CalledProcessError
    where that can't be done here.

    more: flags of the compiler, after ours.
    """
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), "cc")
    sources = sorted((ROOT / FOLDER).glob("*.[ch]"))
    version = (
        zlib.crc32(b"".join(path.read_bytes() for path in sources)) >> 1
    )  # native.py knows by it a kernel of other sources
    code = [f"-DKERNEL_VERSION={version}", *(str(path) for path in sources if path.suffix == ".c")]
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        made = Path(folder) / to.name
        subprocess.run(
            [*compiler.split(), *FLAGS, *more, *code, "-o", str(made)],
            check=True,
            capture_output=True,
            text=True,
        )
        os.replace(made, to)  # in one step: a process that has the old one loaded keeps it


class KernelHook(BuildHookInterface[Any]):
    """Adds the kernel to a wheel, or puts it into the checkout for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        inside = str(FOLDER / "kernel.so")
        self._folder = tempfile.TemporaryDirectory()
        to = ROOT / inside if version == "editable" else Path(self._folder.name) / "kernel.so"
        try:
            compile_kernel(to)
        except (OSError, subprocess.CalledProcessError) as why:
            reason = (getattr(why, "stderr", "") or str(why)).strip().splitlines()[0]
            self.app.display_warning(
                f"The evaluation kernel could not be compiled ({reason}); numpy will do its work, "
                f"more slowly."
            )
            return
        if version != "editable":
            build_data["force_include"][str(to)] = inside
        build_data["pure_python"] = False
        build_data["tag"] = (
            f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        )

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        del version, build_data, artifact_path
        if hasattr(self, "_folder"):
            self._folder.cleanup()


if __name__ == "__main__":
    compile_kernel(ROOT / FOLDER / "kernel.so")
