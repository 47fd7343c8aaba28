"""The plugin registers its parts by name without importing torch."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import detzoo_yolox
import pytest

HOOKS = {
    "register_architectures": {"yolox"},
    "register_backbones": {"cspdarknet", "darknet53"},
    "register_necks": {"pafpn", "yolofpn"},
    "register_heads": {"yolox"},
}


def registered(hook: str) -> dict[str, str]:
    found: dict[str, str] = {}
    getattr(detzoo_yolox, hook)(found.__setitem__)
    return found


@pytest.mark.parametrize("hook", HOOKS)
def test_every_part_is_registered_under_its_name(hook: str) -> None:
    assert set(registered(hook)) == HOOKS[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_registered_place_holds_a_builder(hook: str) -> None:
    for place in registered(hook).values():
        module, _, name = place.partition(":")
        build: Callable[..., object] = getattr(import_module(module), name)
        assert callable(build)


def test_importing_the_plugin_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, detzoo_yolox; print(sorted({'torch', 'numpy', 'torchvision'} & "
        "set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
