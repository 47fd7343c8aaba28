"""The plugin from outside: what it registers, and what importing it costs."""

import subprocess
import sys

import detzoo_timm


def test_it_registers_the_whole_family() -> None:
    names: dict[str, object] = {}
    detzoo_timm.register_backbones(names.__setitem__)
    assert names == {"*": "detzoo_timm.backbone:build"}


def test_importing_it_imports_neither_torch_nor_timm() -> None:
    code = (
        "import sys, detzoo_timm; print([name for name in ('torch', 'timm', 'numpy') if name in "
        "sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
