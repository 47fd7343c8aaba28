"""The built wheel, in an environment that holds nothing but it and what it declares, used from
another folder."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True)
    return next(folder.glob("detzoo-*.whl"))


def declared(name: str, seen: dict[str, None]) -> dict[str, None]:
    """The distributions that `name` needs, and theirs, without extras; only those this machine
    has."""
    for text in distribution(name).requires or []:
        need = Requirement(text)
        if (
            need.marker
            and not need.marker.evaluate({"extra": ""})
            and not any(need.marker.evaluate({"extra": one}) for one in need.extras)
        ):
            continue
        key = need.name.lower().replace("_", "-")
        if key not in seen:
            seen[key] = None
            declared(key, seen)
    return seen


def link(name: str, into: Path) -> None:
    """Makes an installed distribution importable in another environment."""
    found = distribution(name)
    for entry in {str(path).split("/")[0] for path in found.files or []} - {"..", "__pycache__"}:
        target = into / entry
        if not target.exists():
            target.symlink_to(Path(str(found.locate_file(entry))).resolve())


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel and its declared dependencies, and
    nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    packages = next(folder.glob("lib/python*/site-packages"))
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(programs / "python"),
        "install",
        "--quiet",
        "--no-deps",
        str(wheel),
    ]
    subprocess.run(install, check=True)
    for name in declared("detzoo", {}):
        link(name, packages)
    return programs


def run(environment: Path, folder: Path, *words: str) -> str:
    clean = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        [str(environment / words[0]), *words[1:]],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_core_the_bundled_plugins_and_the_catalogue(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "zoo/registry.yaml",
        "zoo/__init__.py",
        "detzoo_torchvision/__init__.py",
        "detzoo_timm/__init__.py",
        "detzoo_yolox/__init__.py",
        "detzoo_shapes/__init__.py",
        "detzoo_shapes/cards.yaml",
        "detzoo_shapes/weights/yolox_pico.safetensors",
        "detzoo_shapes/weights/retinanet_pico.safetensors",
        "detzoo_shapes/weights/fasterrcnn_pico.safetensors",
        "detzoo_shapes/weights/cells_nano.safetensors",
    } <= names


def test_the_wheel_holds_no_tests_and_no_docs(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "zoo",
        "detzoo_torchvision",
        "detzoo_timm",
        "detzoo_yolox",
        "detzoo_shapes",
    }


def test_the_installed_wheel_lists_its_models(environment: Path, tmp_path: Path) -> None:
    names = {row["name"] for row in json.loads(run(environment, tmp_path, "zoo", "list", "--json"))}
    assert {"fasterrcnn_resnet50_fpn", "yolox_nano"} <= names


@pytest.mark.slow
def test_the_installed_wheel_loads_a_detector_by_its_alias_and_runs_it(
    environment: Path, tmp_path: Path
) -> None:
    code = """
import torch, zoo
model = zoo.load("fasterrcnn_resnet50", weights=False)
seen = model.detect(torch.zeros(3, 64, 96, dtype=torch.uint8))
print(zoo.__file__, type(seen).__name__, seen.size)
"""
    file, kind, *size = run(environment, tmp_path, "python", "-c", code).split()
    assert kind == "Detections"
    assert size == ["(64,", "96)"]
    assert not Path(file).is_relative_to(ROOT)


def test_nothing_that_is_not_declared_is_there_to_import(environment: Path, tmp_path: Path) -> None:
    names = "('pytest', 'pycocotools', 'supervision', 'pandas')"
    code = (
        f"import importlib.util; print([name for name in {names} if "
        f"importlib.util.find_spec(name)])"
    )
    assert run(environment, tmp_path, "python", "-c", code).strip() == "[]"
