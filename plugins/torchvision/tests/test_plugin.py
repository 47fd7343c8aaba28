"""The plugin from outside: names, and what importing it costs."""

import subprocess
import sys
from importlib import import_module

import detzoo_torchvision
from torchvision.models import detection, list_models


def registered() -> dict[str, str]:
    names: dict[str, str] = {}
    detzoo_torchvision.register_architectures(names.__setitem__)
    return names


def test_its_architectures_are_all_of_torchvisions_under_their_names() -> None:
    assert sorted(registered()) == sorted(list_models(module=detection))


def test_every_registered_builder_exists() -> None:
    for build in registered().values():
        module, _, function = build.partition(":")
        assert callable(getattr(import_module(module), function))


def test_importing_it_imports_no_torch() -> None:
    code = (
        "import sys, detzoo_torchvision; print([name for name in ('torch', 'torchvision', "
        "'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
