"""Predictions are known by the code that makes them: a changed plugin is another model."""

import csv
import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.data import Dataset
from zoo.evaluate.predictions import code
from zoo.registry import catalogue, reload

PLUGIN = """
from zoo import hookimpl
import lamp_helper

@hookimpl
def register_cards(register):
    register({"schema": 2, "cards": {"lamp": {
        "architecture": "lamps/lamp",
        "labels": ["person", "dog"],
        "input": {"resize": "fixed", "size": [32, 32]},
        "default": "plain",
        "weights": {"plain": {"files": {"model": [{"kind": "file", "path": "lamp.safetensors"}]}}},
    }}})

@hookimpl
def register_architectures(register):
    register("lamp", build)

def build(*, label_space):
    from zoo.testing.toy import Toy

    class Lamp(Toy):
        def decode(self, outputs, batch, thresholds):
            seen = super().decode(outputs, batch, thresholds)
            return [one if KEEP else one[:0] for one in seen]

    return Lamp(label_space)

KEEP = True
"""


@pytest.fixture
def lamps(give_plugin: Callable[..., None], tmp_path: Path) -> Path:
    """The folder of a plugin whose module imports a helper beside it."""
    site = tmp_path / "site"
    (site / "lamp_helper.py").write_text("SHADE = 1\n")
    give_plugin("lamps", PLUGIN, module="detzoo_lamps")
    reload()
    return site


def fingerprint() -> str:
    return code.of_choice(catalogue().resolve("lamp"))


def test_the_code_of_a_plugin_has_one_fingerprint(lamps: Path) -> None:
    assert fingerprint() == fingerprint()
    assert fingerprint() != code.of_choice(catalogue().resolve("yolox_nano"))


SAY = (
    "import zoo.evaluate.predictions.code as code; from zoo.registry import catalogue; "
    "print(code.of_choice(catalogue().resolve('lamp')))"
)


def said(site: Path) -> str:
    """The fingerprint in a process of its own."""
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-c", SAY], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_changed_plugin_or_module_beside_it_is_other_code(lamps: Path) -> None:
    found = [said(lamps)]
    (lamps / "other.py").write_text("nobody = 'imports it'\n")
    found.append(said(lamps))
    (lamps / "detzoo_lamps.py").write_text(PLUGIN.replace("KEEP = True", "KEEP = False"))
    found.append(said(lamps))
    (lamps / "lamp_helper.py").write_text("SHADE = 2\n")
    found.append(said(lamps))
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_a_process_that_runs_old_code_is_refused(lamps: Path) -> None:
    fingerprint()
    (lamps / "detzoo_lamps.py").write_text(PLUGIN.replace("KEEP = True", "KEEP = False"))
    with pytest.raises(
        zoo.errors.UsageError, match=r"detzoo_lamps\.py has changed(.|\n)*Start Python again"
    ):
        fingerprint()


def test_code_that_changed_before_it_was_first_looked_at_is_refused_too(lamps: Path) -> None:
    catalogue()
    (lamps / "detzoo_lamps.py").write_text(
        PLUGIN.replace("return Lamp(label_space)", "return Lamp(label_space).eval()")
    )
    with pytest.raises(zoo.errors.UsageError, match=r"detzoo_lamps\.py has changed"):
        fingerprint()


def test_code_that_was_reloaded_runs_as_it_is_written(lamps: Path) -> None:
    before = fingerprint()
    (lamps / "detzoo_lamps.py").write_text(PLUGIN + "\nMORE = 1\n")
    importlib.reload(sys.modules["detzoo_lamps"])
    assert fingerprint() != before


def installed(site: Path, package: str, source: str) -> None:
    """A package as pip installs a wheel: its files, and a RECORD with a hash of each."""
    folder = site / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(source)
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    rows = io.StringIO()
    digest = hashlib.sha256(source.encode()).hexdigest()
    csv.writer(rows).writerows(
        [
            [f"{package}/__init__.py", f"sha256={digest}", len(source)],
            [f"{info.name}/RECORD", "", ""],
        ]
    )
    (info / "RECORD").write_text(rows.getvalue())


def test_a_wheel_is_known_by_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    for number, source in enumerate(("a = 1\n", "a = 2\n")):
        site = tmp_path / str(number) / "site-packages"
        installed(site, "acme_lamps", source)
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        states.append(code.states_of({"acme_lamps": "acme-lamps"})["acme_lamps"])
    assert [one.split()[:2] for one in states] == [["acme_lamps", "1.0"]] * 2
    assert states[0] != states[1]


def test_an_installed_plugin_without_a_record_is_known_by_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As other package managers install it, or with a version that never changes."""
    site = tmp_path / "site-packages"
    installed(site, "acme_bulbs", "a = 1\n")
    (site / "acme_bulbs-1.0.dist-info" / "RECORD").unlink()
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    first = code.states_of({"acme_bulbs": "acme-bulbs"})["acme_bulbs"]
    (site / "acme_bulbs" / "__init__.py").write_text("a = 2\n")
    assert code.states_of({"acme_bulbs": "acme-bulbs"})["acme_bulbs"] != first


def test_the_code_of_a_detector_at_hand_is_that_of_its_classes(lamps: Path) -> None:
    from zoo.testing.toy import Toy

    made = zoo.load("lamp", weights=False)
    toy = Toy(made.label_space)
    assert code.of_detector(made) == code.of_detector(made)
    assert code.of_detector(made) != code.of_detector(toy)


@pytest.mark.slow
def test_a_changed_plugin_is_run_again_by_the_command(
    lamps: Path, street: Dataset, tmp_path: Path, warm: Path
) -> None:
    torch.manual_seed(0)
    save_file(zoo.load("lamp", weights=False).state_dict(), lamps / "lamp.safetensors")

    def predicted() -> Any:
        words = ["predict", "lamp", "--data", f"coco:{street.truth.name}"]
        words += ["--to", str(tmp_path / "runs"), "--json"]
        environment = os.environ | {"PYTHONPATH": str(lamps)}
        done = subprocess.run([warm, *words], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        [one] = json.loads(done.stdout)
        return one

    first, again = predicted(), predicted()
    assert first["detections"] > 0
    assert first == again
    plugin = lamps / "detzoo_lamps.py"
    plugin.write_text(PLUGIN.replace("KEEP = True", "KEEP = False"))
    assert predicted()["detections"] == 0
    plugin.write_text(PLUGIN)
    assert predicted() == first
