"""The plugin from outside: what it registers, and what importing it costs."""

import subprocess
import sys

import detzoo_shapes


def test_it_registers_the_scenes_as_a_data_set() -> None:
    found: dict[str, object] = {}

    def register(name: str, read: object, /, **_: object) -> None:
        found[name] = read

    detzoo_shapes.register_datasets(register)
    assert found == {"shapes": "detzoo_shapes.dataset:read"}


def test_importing_it_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, detzoo_shapes; "
        "print([name for name in ('torch', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
