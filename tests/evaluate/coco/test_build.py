"""The kernel travels in the wheel; without a compiler the wheel is pure, with one notice, and numpy
does the work."""

import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from zoo.data import kernel_library as compiled
from zoo.evaluate import Evaluator, GroundTruth
from zoo.evaluate.coco import backend, native
from zoo.evaluate.coco.backend import KernelNotice

ROOT = Path(__file__).parents[3]


def built(to: Path, compiler: str | None) -> tuple[Path, str]:
    """A wheel of this checkout, and what the build said."""
    environment = {key: value for key, value in os.environ.items() if key != "CC"} | (
        {"CC": compiler} if compiler else {}
    )
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return next(to.glob("*.whl")), done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="there is no C compiler here"
)
def test_a_wheel_carries_the_kernel_and_says_for_which_platform(tmp_path: Path) -> None:
    wheel, _ = built(tmp_path, None)
    assert "-py3-none-any" not in wheel.name
    assert "-py3-none-" in wheel.name
    with zipfile.ZipFile(wheel) as content:
        content.extract("zoo/evaluate/coco/kernel/kernel.so", tmp_path)
    assert native.Kernel(tmp_path / "zoo/evaluate/coco/kernel/kernel.so").name == "kernel"


@pytest.mark.slow
def test_without_a_compiler_the_wheel_is_pure_and_one_notice_says_so(tmp_path: Path) -> None:
    wheel, said = built(tmp_path, str(tmp_path / "no-compiler"))
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "kernel.so" not in " ".join(zipfile.ZipFile(wheel).namelist())
    assert said.count("could not be compiled") == 1


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "VERSION", -1)  # what a kernel of another release looks like
    backend.best_backend.cache_clear()
    yield
    backend.best_backend.cache_clear()


def test_without_the_kernel_numpy_works_after_one_notice(without_kernel: None) -> None:
    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 10, 10]]}, label_space=["thing"]
    )
    with pytest.warns(KernelNotice, match="numpy gives the same numbers"):
        first = Evaluator(truth)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Evaluator(truth)
    for one in (first, again):
        one.update([1], [{"boxes": [[0.0, 0.0, 10.0, 10.0]], "scores": [0.5], "labels": [0]}])
        assert one.numbers()["AP"] == pytest.approx(1)


def test_a_kernel_that_is_asked_for_by_name_and_is_not_there_is_an_error(
    without_kernel: None,
) -> None:
    truth = GroundTruth.of([1], {"image": [], "label": [], "box": []}, label_space=["thing"])
    with pytest.raises(OSError, match="another version of its sources"):
        Evaluator(truth, backend="kernel")
